import { afterEach, describe, expect, it } from 'vitest';
import { openAlpaca } from '../../src/custodians/alpaca.ts';
import { openCircle } from '../../src/custodians/circle.ts';
import { lookAtCircle } from '../../src/custodians/circle-movements.ts';
import type { Look } from '../../src/custodians/custodian.ts';
import { toText } from '../../src/money.ts';
import { startAlpacaSandbox, type AlpacaSandbox, type SandboxTransfer } from '../support/alpaca-sandbox.ts';
import { idFrom, startCircleSandbox, type CircleSandbox } from '../support/circle-sandbox.ts';
import type { SandboxServer } from '../support/sandbox-server.ts';
import { custodianWorld } from './custodian-world.ts';

const anna = idFrom('anna');
const now = new Date('2026-03-01T12:00:00Z');
const world = custodianWorld({ now: () => now });
const usual = { exclude: new Set<string>(), requestsPerSecond: 10_000, requestTimeoutMs: 30_000 };

let server: SandboxServer;
afterEach(() => server.close());

function amountsIn({ movements }: Look): Record<string, string | undefined> {
  return Object.fromEntries(Array.from(movements.values(), ({ id, amount }) => [id, amount && toText(amount)]));
}

describe('a look at Circle', () => {
  async function circleWith(transactions: (circle: CircleSandbox) => void) {
    const apiKey = 'LIVE_API_KEY:id:secret';
    const wallets = [{ id: anna, usdc: '1000' }];
    const circle = await startCircleSandbox({ apiKey, rateLimit: undefined, wallets, now: () => now });
    server = circle;
    transactions(circle);
    return { circle, look: () => openCircle({ ...usual, baseUrl: circle.url, apiKey }).look(world, undefined, []) };
  }

  it('goes back two hours from now, whatever time the newest transaction is of', async () => {
    const { look } = await circleWith((circle) => {
      for (let count = 0; count < 120; count += 1) circle.move(anna, '1');
      circle.move(anna, '1').createDate = '2030-01-01T00:00:00Z';
    });
    const { movements, reach } = await look();
    expect([movements.size, reach]).toEqual([121, '2026-03-01T10:00:00.000Z']);
  });

  it('does not guess what a transaction is worth', async () => {
    const { circle, look } = await circleWith(() => undefined);
    const [out, negative, sideways, two] = ['-5', '5', '5', '5'].map((amount) => circle.move(anna, amount));
    negative!.amounts = ['-5'];
    sideways!.transactionType = 'constructor' as 'INBOUND';
    two!.amounts = ['5', '1e3'];
    expect(amountsIn(await look())).toEqual({
      [out!.id]: '-5',
      [negative!.id]: undefined,
      [sideways!.id]: undefined,
      [two!.id]: undefined,
    });
  });

  it('is not kept busy by thousands of worthless tokens', async () => {
    const { circle } = await circleWith((one) => void one.move(anna, '1'));
    const options = { ...usual, baseUrl: circle.url, apiKey: 'LIVE_API_KEY:id:secret' };
    const tokens = new Map(Array.from({ length: 2000 }, (_, index) => [`token ${index}`, Promise.resolve(false)]));
    await expect(lookAtCircle({ options, world, tokens, since: undefined })).rejects.toThrow(/more than 2000 tokens/);
    tokens.delete('token 0');
    expect((await lookAtCircle({ options, world, tokens, since: undefined })).movements.size).toBe(1);
  });

  it('begins a listing again whose cursor has moved on', async () => {
    const { circle, look } = await circleWith((one) => {
      for (let count = 0; count < 60; count += 1) one.move(anna, '1', 'SENT');
    });
    circle.faults.push({
      path: /state=SENT.*pageAfter=/,
      times: 1,
      respond: (real, { url }) => {
        circle.book(
          circle.transactions.find(({ id }) => id === url.searchParams.get('pageAfter'))!,
          'CONFIRMED',
        );
        return real();
      },
    });
    expect((await look()).movements.size).toBe(60);
  });
});

describe('a look at Alpaca', () => {
  async function alpacaWith(transfers: SandboxTransfer[], happen: (alpaca: AlpacaSandbox) => void = () => undefined) {
    const accounts = [{ id: anna, cash: '1000' }];
    const alpaca = await startAlpacaSandbox({
      key: 'key',
      secret: 'secret',
      rateLimit: undefined,
      accounts,
      transfers,
      now: () => now,
    });
    server = alpaca;
    happen(alpaca);
    const credentials = { authUrl: undefined, apiKey: 'key', apiSecret: 'secret', measure: 'auto' } as const;
    return openAlpaca({ ...usual, baseUrl: alpaca.url, ...credentials }).look(world, undefined, [anna]);
  }

  function transfer(id: string, changes: Partial<SandboxTransfer>): SandboxTransfer {
    const times = { created_at: '2026-03-01T11:00:00Z', updated_at: '2026-03-01T11:59:00Z' };
    return {
      id,
      account_id: anna,
      type: 'ach',
      status: 'COMPLETE',
      amount: '5',
      direction: 'INCOMING',
      ...times,
      ...changes,
    };
  }

  it('tells the amount of a transfer once, and does not guess it', async () => {
    const look = await alpacaWith(
      [
        transfer('in', {}),
        transfer('out', { direction: 'OUTGOING' }),
        transfer('negative', { amount: '-5' }),
        transfer('sideways', { direction: 'constructor' as 'INCOMING' }),
        transfer('long ago', { updated_at: '2026-01-01T00:00:00Z' }),
        transfer('sent back', { status: 'RETURNED' }),
      ],
      (alpaca) => {
        alpaca.move(anna, '5').id = 'told by the transfer';
        alpaca.move(anna, '5').id = 'told by itself';
      },
    );
    expect(amountsIn(look)).toEqual({
      in: '5',
      out: '-5',
      negative: undefined,
      sideways: undefined,
      'told by the transfer': '5',
      'told by itself': undefined,
    });
  });

  it.each([
    ['is a witness', {}, '2026-03-01T11:56:00.000Z'],
    ['is none where a cache had it', { age: '240' }, '2026-03-01T11:59:00Z'],
  ])('the time that it says by itself %s', async (_, headers, endedAt) => {
    const look = await alpacaWith([transfer('in', {})], (alpaca) => {
      const timestamp = '2026-03-01T12:03:00Z';
      alpaca.faults.push({
        path: /clock/,
        respond: () => ({ status: 200, headers, body: JSON.stringify({ timestamp }) }),
      });
    });
    expect(Array.from(look.movements.values(), (movement) => movement.endedAt)).toEqual([endedAt]);
  });
});
