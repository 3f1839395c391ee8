import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { secrets, desk, targets, type PagerDutyEvent, type WebhookBody, bodiesOf } from '../support/alert-targets.ts';
import { answers } from '../support/sandbox-server.ts';

describe('what is sent', { timeout: 60_000 }, () => {
  test('to a webhook is signed with both secrets, as an independent library verifies it', async () => {
    const { webhook, env } = await targets();
    const { runs, sql, ledger, ada } = await desk(env);
    ledger.deposit(ada, '5000', { post: false });
    await ledger.save(sql);
    await runs([], { now: new Date() });
    const { headers, body } = webhook.received[0] as { headers: Record<string, string>; body: string };
    const [row] = await sql`select id from reconciliation_alerts where target = 'webhook'`;
    expect(headers['webhook-id']).toBe(row!['id']);
    for (const secret of secrets) expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => new Webhook(secrets[0]!).verify(body.replace('5000', '5'), headers)).toThrow();
  });

  test('to Slack keeps its limits and calls nobody, whatever the host wrote into its books', async () => {
    const { slack, pagerduty, env } = await targets();
    const { runs, sql, ledger, ada } = await desk(env);
    for (let count = 0; count < 20; count += 1) ledger.deposit(ada, `${5000 + count}`, { post: false });
    await ledger.save(sql);
    await sql`
      create function hostile() returns trigger language plpgsql as $$
        begin
          new.description := '<!channel> & <https://evil.example|click>' || repeat('&<>', 500);
          new.severity := 'critical';
          return new;
        end $$;
      create trigger hostile before insert on reconciliation_exceptions for each row execute function hostile()`.simple();
    await runs();
    const { text, blocks } = JSON.parse(slack.received[0]!.body) as {
      text: string;
      blocks: { type: string; text?: { text: string } }[];
    };
    expect(blocks.length).toBeLessThanOrEqual(20);
    expect(blocks.filter(({ type }) => type === 'section').length).toBeGreaterThanOrEqual(11);
    const texts = blocks.map((block) => block.text?.text ?? '');
    expect(Math.max(...texts.map(({ length }) => length))).toBeLessThanOrEqual(3_000);
    expect(blocks[0]!.text!.text.length).toBeLessThanOrEqual(150);
    expect(texts.join('').length).toBeLessThan(10_000);
    expect(text.length).toBeLessThan(4_000);
    expect(texts.join('')).toContain('&lt;!channel&gt; &amp; &lt;https://evil');
    expect(texts.join('')).not.toMatch(/<|&(?!amp;|lt;|gt;)/);
    for (const { type, text: block } of blocks)
      if (type === 'section') expect(block).toMatchObject({ type: 'mrkdwn', verbatim: true });
    for (const event of bodiesOf<PagerDutyEvent>(pagerduty)) {
      expect(event.dedup_key.length).toBeLessThanOrEqual(255);
      expect(event.payload!.summary.length).toBeLessThanOrEqual(1024);
      expect(['critical', 'error', 'warning', 'info']).toContain(event.payload!.severity);
    }
  });

  test('is cut to what targets take: names of currencies, amounts and the environment may be anything', async () => {
    const { slack, pagerduty, webhook, env } = await targets();
    const { runs, sql, ledger, ada } = await desk({ ...env, RECONCILIATION_ENVIRONMENT: '\u{1f4b8}'.repeat(60) });
    for (let count = 0; count < 20; count += 1) ledger.deposit(ada, `${5000 + count}`, { post: false });
    await ledger.save(sql);
    await sql`
      create function hostile() returns trigger language plpgsql as $$
        begin
          new.currency := 'C' || new.expected_value || repeat('$', 5000);
          new.difference := ('1' || repeat('0', 100000))::numeric;
          return new;
        end $$;
      create trigger hostile before insert on reconciliation_exceptions for each row execute function hostile()`.simple();
    await runs();
    const { blocks } = JSON.parse(slack.received[0]!.body) as { blocks: { text?: { text: string } }[] };
    expect(blocks[0]!.text!.text.length).toBeLessThanOrEqual(150);
    expect(bodiesOf<WebhookBody>(webhook)[0]!.data.totals).toMatchObject([{ count: 20, currency: null, amount: null }]);
    for (const { body } of [...slack.received, ...pagerduty.received, ...webhook.received])
      expect(Buffer.byteLength(body)).toBeLessThan(20_000);
  });

  test('holds no secret, though the database writes one into what it says', async () => {
    const { slack, webhook, env } = await targets();
    const { runs, types, sql } = await desk({ ...env, CIRCLE_API_KEY: 'TEST:canary-circle-id:canary-circle-secret' });
    await sql`
      create function leak() returns trigger language plpgsql as
        'begin raise exception $$canary-of-the-slack-webhook canary-circle-secret$$; end';
      create trigger leak before insert on reconciliation_checks for each row execute function leak()`.simple();
    // what a target says may hold the secret part of its URL, where it would be cut, and again and again
    for (const body of ['x'.repeat(190) + 'canary-of-the-slack-webhook', 'canary-of-the-slack-webhook'.repeat(20)])
      slack.faults.push(answers({ path: /./, times: 1 }, { status: 403, body }));
    const { stderr } = await types(['run'], { env: { LOG_LEVEL: 'debug' } });
    const first = await sql`select last_error from reconciliation_alerts where target = 'slack'`;
    await sql`drop trigger leak on reconciliation_checks`;
    await runs();
    const stored = await sql`select body::text, last_error from reconciliation_alerts`;
    const everything = [
      stderr,
      slack.received[0]!.body,
      webhook.received[0]!.body,
      JSON.stringify([first, stored]),
    ].join('\n');
    expect(everything).toContain('[secret]');
    expect(everything).not.toMatch(/canary|e93facc04764012d7bfb002500d5d1a6|whsec_/);
  });
});
