import type { Config } from '../config.ts';
import { inTransaction, type Database, type Transaction } from '../database/database.ts';
import { severities } from '../kinds.ts';
import { maskValues, type Mask } from '../secrets.ts';
import { addToTotals, counted, type Increment } from '../metrics/totals.ts';
import type { Message } from './message.ts';
import { isNews, readNews, type Ending, type News } from './news.ts';
import { enqueue } from './outbox.ts';
import { followExceptions, pagerDutyMessages } from './pagerduty.ts';
import { slackMessage } from './slack.ts';
import type { TargetConfig } from './target.ts';
import { webhookMessage } from './webhook.ts';

/**
 * Writes into the outbox what a run has to tell, target by target, in the transaction that ends it: none is lost, and
 * none tells of what was not stored. `clears`: the run saw enough to say that something is over.
 */
export async function announce(
  transaction: Transaction,
  schema: string,
  ending: Ending,
  { alerts, environment }: Pick<Config, 'alerts' | 'environment'>,
  { clears, mask }: { clears: boolean; mask: Mask },
): Promise<void> {
  const { report } = ending;
  const at = report.completed_at ?? report.started_at;
  await transaction`set local enable_nestloop = on`; // what follows looks for few rows by their ids
  for (const target of alerts.targets) {
    const news = await readNews(transaction, schema, ending, { environment, severity: target.severity });
    const messages = await messagesFor(transaction, schema, target, news, clears);
    const masked = messages.map((message) => maskValues(message, mask));
    await enqueue(transaction, schema, target.name, masked, { reportId: report.id, at });
    if (target === lowestOf(alerts.targets)) await addToTotals(transaction, schema, countedAlerts(news));
  }
}

/** Writes into the outbox what people have done to exceptions that PagerDuty knows of. */
export async function enqueueFollowed(
  database: Database,
  schema: string,
  { alerts }: Pick<Config, 'alerts'>,
  now: Date,
): Promise<void> {
  const at = now.toISOString();
  for (const target of alerts.targets) {
    if (target.name !== 'pagerduty') continue;
    await inTransaction(database, 'read write', async (transaction) => {
      const messages = await followExceptions(transaction, schema, target.severity, at);
      await enqueue(transaction, schema, target.name, messages, { reportId: null, at });
    });
  }
}

async function messagesFor(
  transaction: Transaction,
  schema: string,
  target: TargetConfig,
  news: News,
  clears: boolean,
): Promise<Message[]> {
  if (target.name === 'pagerduty') return pagerDutyMessages(transaction, schema, news, target, clears);
  if (!isNews(news)) return [];
  return [target.name === 'slack' ? slackMessage(news) : webhookMessage(news)];
}

/** Who hears of most: what it hears of is what counts as alerted. */
function lowestOf(targets: readonly TargetConfig[]): TargetConfig | undefined {
  return targets.toSorted((left, right) => severities.indexOf(left.severity) - severities.indexOf(right.severity))[0];
}

function countedAlerts({ groups, incomplete }: News): Increment[] {
  return [
    ...groups
      .filter(({ change }) => change !== 'cleared')
      .map(({ check_type, severity, count }) =>
        counted('reconciliation_alerts_total', { check_type, severity }, count),
      ),
    ...incomplete.map(({ check_type }) => counted('reconciliation_alerts_total', { check_type, severity: 'high' })),
  ];
}
