import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/checks/check.ts';
import { onePerSubject, toFinding, type FindingRow } from '../../src/checks/findings.ts';
import type { KindName } from '../../src/kinds.ts';
import { listOf } from '../../src/database/list-of.ts';
import { configOf, search, searchUpTo } from '../support/run-check.ts';
import { faultyHost, withBooks } from '../support/scenario.ts';

const database = await faultyHost();

function finding(subject: string, kind: KindName, amounts: Partial<FindingRow> = {}): Finding {
  const nothing = { expected_value: null, actual_value: null, stake: null, currency: null, affected_user_id: null };
  return toFinding('deposits', { kind, subject, ...nothing, metadata: { of: kind }, ...amounts }, configOf());
}

async function* oneByOne(rows: Finding[]) {
  for (const each of rows) yield await Promise.resolve(each);
}

describe('the rows of a check', () => {
  test('become one finding per subject: the kind of the lowest rank, the others in its metadata', async () => {
    const rows = [
      finding('deposit:1', 'stuck'),
      finding('deposit:2', 'amount_mismatch'),
      finding('deposit:2', 'stuck'),
      finding('deposit:2', 'duplicate_posting'),
      finding('deposit:2', 'stuck'),
      finding('deposit:3', 'unlinked'),
      finding('deposit:3', 'unlinked'),
    ];
    const told = await listOf(onePerSubject(oneByOne(rows)));
    expect(told[0], 'one alone stays as it is').toEqual(rows[0]);
    expect(told).toMatchObject([
      { subject: 'deposit:1', kind: 'stuck', metadata: { of: 'stuck' } },
      {
        subject: 'deposit:2',
        kind: 'duplicate_posting',
        metadata: {
          of: 'duplicate_posting',
          also: ['amount_mismatch', 'stuck'],
          also_amounts: { amount_mismatch: null, stuck: null },
        },
      },
      { subject: 'deposit:3', kind: 'unlinked', metadata: { of: 'unlinked' } },
    ]);
    expect(await listOf(onePerSubject(oneByOne([])))).toEqual([]);
  });

  test('are as severe as the worst of their subject, and so much is at stake', async () => {
    const cent = finding('account:1', 'balance_drift', { expected_value: '1', actual_value: '1.01' });
    const overdraft = finding('account:1', 'negative_balance', { expected_value: '0', actual_value: '-4980' });
    for (const pair of [
      [cent, overdraft],
      [overdraft, cent],
    ])
      expect(await listOf(onePerSubject(oneByOne(pair)))).toMatchObject([
        { kind: 'balance_drift', severity: 'critical', difference: '0.01', metadata: { stake: '4980' } },
      ]);
    const twins = finding('account:1', 'duplicate_account', { expected_value: '1', actual_value: '9999' });
    const [told] = await listOf(onePerSubject(oneByOne([cent, twins])));
    expect(told).toMatchObject({ severity: 'medium', metadata: { also: ['duplicate_account'] } });
    expect(told?.metadata, 'a count is no money').not.toHaveProperty('stake');
  });

  test('name what each kind behind comes to, in whichever order they come', async () => {
    const drift = finding('account:1', 'balance_drift', { expected_value: '1', actual_value: '9.50' });
    const overdraft = finding('account:1', 'negative_balance', { expected_value: '0', actual_value: '-4' });
    const twins = finding('account:1', 'duplicate_account', { expected_value: '1', actual_value: '3' });
    const amounts = { negative_balance: '-4', duplicate_account: '2' };
    for (const rows of [
      [drift, overdraft, twins],
      [twins, overdraft, drift],
      [overdraft, drift, twins],
    ])
      expect(await listOf(onePerSubject(oneByOne(rows)))).toMatchObject([
        { difference: '8.5', metadata: { also: ['duplicate_account', 'negative_balance'], also_amounts: amounts } },
      ]);
  });

  test('with one id are added up behind the first of them', async () => {
    const rows = ['10', null, '30', null, '20'].map((stake) => finding('deposit:null', 'invalid_record', { stake }));
    const [told] = await listOf(onePerSubject(oneByOne(rows)));
    expect(told?.metadata).toEqual({ of: 'invalid_record', stake: '30', also_amounts: { invalid_record: '50' } });
  });

  test.each([
    [[{ user_id: 'bob', currency: 'USDC', amount: '80.00' }], 'is posted to another user: 80 USDC to bob'],
    [[{ user_id: 'ada', currency: 'USD', amount: '80' }], 'is posted in another currency: 80 USD'],
    [[{ currency: 'USD', amount: '80' }], 'is posted in another currency: 80 USD'],
    [[{ amount: '80' }], 'is posted in another currency: 80 without currency'],
    [
      ['ada', 'bob', 'eve'].map((user) => ({ user_id: user, currency: 'USD', amount: '1' })),
      'is posted to another user: 1 USD, 1 USD to bob, 1 USD to eve',
    ],
    [
      ['bob', 'ada', 'eve', 'dan'].map((user) => ({ user_id: user, currency: 'USD', amount: '1' })),
      'is posted to another user: 1 USD to bob, 1 USD, 1 USD to eve and 1 more',
    ],
  ])('say of wrong_account to whom, or in which currency: %j', (astray, told) => {
    const of = (owner: string | null) =>
      finding('deposit:1', 'wrong_account', { affected_user_id: owner, metadata: { astray } }).description;
    expect(of('ada')).toBe(`deposit 1 ${told}`);
    expect(of(null)).toContain('in another currency: ');
  });

  test.each<[KindName, Partial<FindingRow>, string, string | null]>([
    [
      'amount_mismatch',
      { expected_value: '100.0', actual_value: '99.50', currency: 'USDC', metadata: { astray: [{ amount: '1' }] } },
      'is posted with another amount: amount of the record 100 USDC, amount posted 99.5 USDC',
      '-0.5',
    ],
    [
      'amount_mismatch',
      { expected_value: '1', actual_value: '2' },
      'is posted with another amount: amount of the record 1, amount posted 2',
      '1',
    ],
    [
      'missing_in_ledger',
      { expected_value: '5', actual_value: '0', currency: 'USDC' },
      'is settled, but was never posted: amount of the record 5 USDC',
      '-5',
    ],
    [
      'negative_balance',
      { expected_value: '0', actual_value: '-5', currency: 'USDC' },
      'of a user is below zero: should be zero, stored balance -5 USDC',
      '-5',
    ],
    [
      'orphaned_entry',
      { expected_value: '5', currency: 'USDC' },
      'has entries that belong to no transaction or to no account: amount of the entries 5 USDC',
      null,
    ],
    [
      'balance_drift',
      { expected_value: '5', currency: 'USDC' },
      'stores a balance that its entries do not add up to: opening balance and entries 5 USDC, stored balance null',
      null,
    ],
    ['wrong_account', { currency: 'USDC' }, 'is posted to another user or in another currency', null],
    ['stuck', {}, 'has not become final within its deadline', null],
  ])('say what should be and what is: %s %j', (kind, amounts, told, difference) => {
    expect(finding('deposit:1', kind, amounts)).toMatchObject({
      description: `deposit 1 ${told}`,
      difference,
      currency: amounts.currency ?? null,
    });
  });

  test('that count things have no currency', () => {
    const twins = { expected_value: '1', actual_value: '3', currency: 'USDC' };
    expect(finding('account:1', 'duplicate_account', twins)).toMatchObject({
      description:
        'account 1 is not the only one of its id, or of its user and type: should be one account, number of accounts 3',
      difference: '2',
      currency: null,
    });
  });

  test('must come in order: a subject that came back would be found twice', async () => {
    const rows = [
      finding('deposit:1', 'stuck'),
      finding('deposit:2', 'stuck'),
      finding('deposit:1', 'amount_mismatch'),
    ];
    await expect(listOf(onePerSubject(oneByOne(rows)))).rejects.toThrow(
      'The rows of a check are not in the order of their subjects: deposit:1 came too late.',
    );
  });

  test('come in the order of their code points', async () => {
    await withBooks(database, async ({ sql, ledger, ada, save }) => {
      for (let count = 0; count < 40; count += 1)
        ledger.deposit(ada, '5', { post: count % 2 === 0, status: 'on_hold' });
      await save();
      const subjects = (await search(sql, 'deposits')).map(({ subject }) => subject);
      expect(subjects).toHaveLength(40);
      expect(subjects).toEqual(subjects.toSorted());
    });
  });

  test('tell the same of two copies of a record, whichever the database reads first', async () => {
    await withBooks(database, async ({ sql, ledger, ada, bob, save }) => {
      const { id } = ledger.deposit(ada, '5', { post: false });
      await save();
      await sql`insert into deposits select * from deposits where id = ${id}`;
      const told = [];
      for (const [first, second] of [
        [ada, bob],
        [bob, ada],
      ]) {
        await sql`delete from deposits where ctid = (select max(ctid) from deposits where id = ${id})`;
        await sql`update deposits set user_id = ${first!.id} where id = ${id}`;
        await sql`insert into deposits select * from deposits where id = ${id}`;
        await sql`
          update deposits set user_id = ${second!.id} where ctid = (select max(ctid) from deposits where id = ${id})`;
        told.push(await search(sql, 'deposits'));
      }
      expect(told[0]).toHaveLength(1);
      expect(told[1]).toEqual(told[0]);
    });
  });

  test('are read no further than the limit, and the check says so', async () => {
    await withBooks(database, async ({ sql, ledger, ada, save }) => {
      for (let count = 0; count < 10; count += 1) ledger.deposit(ada, '5', { post: false });
      await save();
      expect(await searchUpTo(11, sql, 'deposits')).toMatchObject({ truncated: false });
      const { truncated, findings } = await searchUpTo(4, sql, 'deposits');
      expect([truncated, findings.length]).toEqual([true, 4]);
      expect(await search(sql, 'withdrawals'), 'the transaction goes on').toEqual([]);
    });
  });
});
