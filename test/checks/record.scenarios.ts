import type { Booked, LedgerBuilder, RecordOptions, Transaction, User } from '../support/ledger.ts';
import type { Books, Scenario } from '../support/scenario.ts';

/** How a test writes and books the records of one operational table that belong to users, one leg each. */
export interface RecordTable {
  /** Also the prefix of a subject. */
  kind: 'deposit' | 'withdrawal';
  table: 'deposits' | 'withdrawals';
  pending: string[];
  settled: string[];
  failed: string[];
  deadlineMinutes: number;
  add: (books: Books, user: User, amount: string, options?: RecordOptions) => Booked<{ id: string; status: string }>;
  post: (books: Books, user: User, recordId: string, amount: string) => Transaction;
}

/** The scenarios that are the same for deposits and withdrawals. */
export function recordScenarios(of: RecordTable): Scenario[] {
  return [...states(of), ...invalidRecords(of), ...postings(of), ...missing(of), ...amounts(of), ...stuck(of)];
}

const owned = ({ ada }: Books) => ({ currency: 'USDC', affectedUserId: ada.id });

/** Reverses a transaction, then its reversal, and so on. Answers the last of them. */
function reverseInARow(ledger: LedgerBuilder, transaction: Transaction, count: number): Transaction {
  return count === 0 ? transaction : reverseInARow(ledger, ledger.reversal(transaction), count - 1);
}

function states({ table, pending, settled, failed, add }: RecordTable): Scenario[] {
  return [
    {
      kind: 'unknown_status',
      title: 'a status that the mapping does not know',
      lookAlike(books) {
        for (const status of [...pending, ...settled, ...failed]) add(books, books.ada, '3', { status });
        for (const status of settled) add(books, books.ada, '3', { status, post: true });
      },
      fault(books) {
        const { id, subject } = add(books, books.ada, '100.01', { status: 'on_hold', post: true });
        return {
          finding: { subject, severity: 'high', ...owned(books), also: [] },
          repair: ({ sql }) => sql`update ${sql(table)} set status = ${settled[0]!} where id = ${id}`,
        };
      },
    },
  ];
}

function invalidRecords({ table, pending, settled, add }: RecordTable): Scenario[] {
  const spoiled = (title: string, amount: string | null, severity: 'medium' | 'high' | 'critical'): Scenario => ({
    kind: 'invalid_record',
    title,
    lookAlike: (books) => add(books, books.ada, '0.00000001', { status: pending[0]! }),
    async fault(books) {
      const { id, subject } = add(books, books.ada, '10', { status: pending[0]! });
      await books.save();
      await books.sql`update ${books.sql(table)} set amount = ${amount} where id = ${id}`;
      return {
        finding: {
          subject,
          severity,
          affectedUserId: books.ada.id,
          currency: table === 'deposits' ? 'USDC' : null, // nothing says what a withdrawal that is not posted pays out
          also: [],
        },
        repair: ({ sql }) => sql`update ${sql(table)} set amount = 10 where id = ${id}`,
      };
    },
  });
  return [
    spoiled('zero', '0', 'medium'),
    spoiled('negative', '-500', 'high'),
    spoiled('NaN', 'NaN', 'critical'),
    spoiled('Infinity', 'Infinity', 'critical'),
    spoiled('no amount', null, 'medium'),
    {
      kind: 'invalid_record',
      title: 'the same id twice',
      async fault(books) {
        const { id, subject } = add(books, books.ada, '10', { status: settled[0]! });
        await books.save();
        await books.sql`insert into ${books.sql(table)} select * from ${books.sql(table)} where id = ${id}`;
        return {
          finding: { subject, severity: 'medium', ...owned(books), also: [] },
          repair: ({ sql }) =>
            sql`delete from ${sql(table)} where ctid = (select max(ctid) from ${sql(table)} where id = ${id})`,
        };
      },
    },
    {
      kind: 'invalid_record',
      title: 'nobody’s',
      async fault(books) {
        const { id, subject } = add(books, books.ada, '10');
        await books.save();
        await books.sql`update ${books.sql(table)} set user_id = null where id = ${id}`;
        return {
          finding: { subject, severity: 'medium', currency: 'USDC', also: [] },
          repair: ({ sql }) => sql`update ${sql(table)} set user_id = ${books.ada.id} where id = ${id}`,
        };
      },
    },
  ];
}

function postings({ kind, failed, settled, add, post }: RecordTable): Scenario[] {
  const standsForFailed = (title: string, reversals: number): Scenario => ({
    kind: 'posted_for_failed',
    title,
    lookAlike(books) {
      for (const status of failed) {
        add(books, books.ada, '9', { status, post: false });
        reverseInARow(books.ledger, add(books, books.ada, '9', { status, post: true }).transaction!, reversals + 1);
      }
    },
    fault(books) {
      const { subject, transaction } = add(books, books.ada, '80', { status: failed[0]!, post: true });
      const last = reverseInARow(books.ledger, transaction!, reversals);
      const amounts = { expected: '0', actual: '80', difference: '80' };
      return {
        finding: { subject, severity: 'high', ...amounts, ...owned(books), also: [] },
        repair: ({ reverse }) => reverse(last),
      };
    },
  });
  const takenBack = (title: string, reversals: number): Scenario => ({
    kind: 'reversed_for_settled',
    title,
    lookAlike(books) {
      reverseInARow(books.ledger, add(books, books.ada, '9').transaction!, reversals + 1);
      reverseInARow(books.ledger, add(books, books.ada, '9').transaction!, reversals - 1);
    },
    fault(books) {
      const { id, subject, transaction } = add(books, books.ada, '80', { status: settled.at(-1)! });
      reverseInARow(books.ledger, transaction!, reversals);
      const amounts = { expected: '80', actual: '0', difference: '-80' };
      return {
        finding: { subject, severity: 'high', ...amounts, ...owned(books), also: ['amount_mismatch'] },
        repair: () => post(books, books.ada, id, '80'),
      };
    },
  });
  return [
    {
      kind: 'duplicate_posting',
      title: 'booked by two transactions',
      lookAlike(books) {
        const inParts = add(books, books.ada, '100', { postedAmount: '60' });
        post(books, books.ada, inParts.id, '40');
        const again = add(books, books.ada, '100');
        books.ledger.reversal(again.transaction!);
        post(books, books.ada, again.id, '100');
      },
      fault(books) {
        const { id, subject } = add(books, books.ada, '1000.01');
        const second = post(books, books.ada, id, '1000.01');
        return {
          finding: {
            subject,
            severity: 'critical',
            expected: '1000.01',
            actual: '2000.02',
            difference: '1000.01',
            ...owned(books),
            also: ['amount_mismatch'],
          },
          repair: ({ reverse }) => reverse(second),
        };
      },
    },
    {
      kind: 'wrong_account',
      title: 'booked to another user',
      lookAlike(books) {
        const corrected = add(books, books.ada, '80', { postedTo: books.bob });
        books.ledger.reversal(corrected.transaction!);
        post(books, books.ada, corrected.id, '80');
      },
      fault(books) {
        const { id, subject, transaction } = add(books, books.ada, '80', { postedTo: books.bob });
        return {
          finding: { subject, severity: 'high', ...owned(books), also: [] },
          async repair({ reverse }) {
            await reverse(transaction!);
            post(books, books.ada, id, '80');
          },
        };
      },
    },
    standsForFailed('failed, but the money stays booked', 0),
    standsForFailed('failed, and the fourth reversal in a row restored its booking', 4),
    takenBack('settled, but the booking was taken back', 1),
    takenBack('settled, but the fifth reversal in a row took the booking back', 5),
    {
      kind: 'missing_in_source',
      title: 'a booking of a record that does not exist',
      lookAlike(books) {
        books.ledger.openingBalance(books.ada, '70');
        books.ledger.reversal(post(books, books.ada, books.ledger.random.uuid(), '70'));
        const failedOne = post(books, books.ada, books.ledger.random.uuid(), '70');
        failedOne.row.status = 'pending';
        failedOne.row.created_at = books.ledger.minutesAgo(1);
      },
      fault(books) {
        const transaction = post(books, books.ada, books.ledger.random.uuid(), '70');
        return {
          finding: {
            subject: transaction.subject,
            severity: 'medium',
            expected: '0',
            actual: '70',
            difference: '70',
            ...owned(books),
            also: [],
          },
          repair: ({ reverse }) => reverse(transaction),
        };
      },
    },
    {
      kind: 'missing_in_source',
      title: 'a booking that names no record, its reference type in capitals',
      fault(books) {
        const transaction = post(books, books.ada, books.ledger.random.uuid(), '170');
        Object.assign(transaction.row, { reference_id: null, reference_type: kind.toUpperCase() });
        return {
          finding: {
            subject: transaction.subject,
            severity: 'high',
            expected: '0',
            actual: '170',
            difference: '170',
            ...owned(books),
          },
          repair: ({ sql }) =>
            sql`update ledger_transactions set idempotency_key = ${`migration_${transaction.id}`} where id = ${transaction.id}`,
        };
      },
    },
  ];
}

function missing({ table, add, post, settled }: RecordTable): Scenario[] {
  const unposted = (amount: string, severity: 'low' | 'medium' | 'high' | 'critical'): Scenario => ({
    kind: 'missing_in_ledger',
    title: `${amount} settled exactly the grace period ago`,
    lookAlike: (books) => add(books, books.ada, amount, { post: false, minutesAgo: 4.9999, settledAfterMinutes: 9999 }),
    fault(books) {
      const { id, subject } = add(books, books.ada, amount, { post: false, minutesAgo: 5, status: settled[0]! });
      return {
        finding: {
          subject,
          severity,
          expected: amount,
          actual: '0',
          difference: `-${amount}`,
          affectedUserId: books.ada.id,
          currency: table === 'deposits' ? 'USDC' : null,
          also: ['amount_mismatch'].slice(1) as [],
        },
        repair: () => post(books, books.ada, id, amount),
      };
    },
  });
  return [
    {
      kind: 'missing_in_ledger',
      title: 'settled further ahead than clocks may differ',
      lookAlike: (books) => add(books, books.ada, '80', { post: false, minutesAgo: -5, status: settled[0]! }),
      fault(books) {
        const { id, subject } = add(books, books.ada, '80', { post: false, minutesAgo: -5.0001, status: settled[0]! });
        return {
          finding: {
            subject,
            severity: 'medium',
            expected: '80',
            actual: '0',
            difference: '-80',
            affectedUserId: books.ada.id,
            currency: table === 'deposits' ? 'USDC' : null,
            also: [],
          },
          repair: () => post(books, books.ada, id, '80'),
        };
      },
    },
    unposted('1', 'low'),
    unposted('1.00000001', 'medium'),
    unposted('100', 'medium'),
    unposted('100.00000001', 'high'),
    unposted('1000', 'high'),
    unposted('1000.00000001', 'critical'),
  ];
}

function amounts({ pending, add }: RecordTable): Scenario[] {
  const different = (amount: string, posted: string, difference: string, severity: 'low' | 'critical'): Scenario => ({
    kind: 'amount_mismatch',
    title: `${amount} booked as ${posted}`,
    lookAlike: (books) => add(books, books.ada, amount, { status: pending.at(-1)!, post: true, postedAmount: posted }),
    fault(books) {
      const { subject, transaction } = add(books, books.ada, amount, { postedAmount: posted });
      return {
        finding: { subject, severity, expected: amount, actual: posted, difference, ...owned(books), also: [] },
        async repair({ sql, rebalance }) {
          await sql`update ledger_entries set amount = ${amount} where transaction_id = ${transaction!.id}`;
          await rebalance();
        },
      };
    },
  });
  return [
    different('100', '99.99', '-0.01', 'low'),
    different('9007199254740993', '9007199254740992', '-1', 'low'),
    different('100000000000000000', '100000000000000000.00000001', '0.00000001', 'low'),
    different('1234', '4321', '3087', 'critical'),
  ];
}

function stuck({ table, pending, settled, deadlineMinutes, add }: RecordTable): Scenario[] {
  const late = (amount: string, severity: 'low' | 'medium'): Scenario => ({
    kind: 'stuck',
    title: `${amount}, not final exactly at the deadline`,
    lookAlike(books) {
      for (const status of pending) add(books, books.ada, amount, { status, minutesAgo: deadlineMinutes - 0.0001 });
      add(books, books.ada, amount, { minutesAgo: 60, settledAfterMinutes: 10 * deadlineMinutes });
    },
    fault(books) {
      const options = { status: pending.at(-1)!, minutesAgo: deadlineMinutes, post: true };
      const { id, subject } = add(books, books.ada, amount, options);
      return {
        finding: { subject, severity, ...owned(books), also: [] },
        repair: ({ sql }) => sql`update ${sql(table)} set status = ${settled[0]!} where id = ${id}`,
      };
    },
  });
  return [
    late('1', 'low'),
    late('5000', 'medium'),
    {
      kind: 'stuck',
      title: 'created further ahead than clocks may differ',
      lookAlike: (books) => pending.map((status) => add(books, books.ada, '80', { status, minutesAgo: -5 })),
      fault(books) {
        const { id, subject } = add(books, books.ada, '80', { status: pending.at(-1)!, minutesAgo: -5.0001 });
        return {
          finding: { subject, severity: 'medium', ...owned(books), also: [] },
          repair: ({ sql }) => sql`update ${sql(table)} set status = ${settled[0]!} where id = ${id}`,
        };
      },
    },
  ];
}
