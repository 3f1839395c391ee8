import { credit, debit, type Transaction } from '../support/ledger.ts';
import type { Books, Scenario } from '../support/scenario.ts';

const { from, to } = { from: 'usdc_balance', to: 'stash_balance' } as const;

function transfer({ ledger, ada }: Books, amount: string, status = 'completed'): Transaction {
  const entries = [credit(ledger.account(ada, from), amount), debit(ledger.account(ada, to), amount)];
  return ledger.transaction({ type: 'internal_transfer', user: ada, status, entries });
}

/** Everything that reverses in an orderly way. */
function orderlyReversals({ ledger, ada, bob }: Books): void {
  const restored = ledger.internalTransfer(ada, ledger.account(ada, from), ledger.account(ada, to), '1');
  ledger.reversal(ledger.reversal(restored));
  const restoredAndNamedSo = ledger.internalTransfer(ada, ledger.account(ada, from), ledger.account(ada, to), '2');
  ledger.reversal(ledger.reversal(restoredAndNamedSo));
  restoredAndNamedSo.row.status = 'completed';
  const split = ledger.allocationSplit(bob, '7', '3', { status: 'reversed', post: true });
  split.row.status = 'failed';
  ledger.reversal(split.transaction!);
  const namesTheRecord = ledger.deposit(bob, '4', { status: 'failed', post: true });
  Object.assign(ledger.reversal(namesTheRecord.transaction!).row, {
    reference_id: namesTheRecord.id,
    reference_type: 'DEPOSIT',
  });
  for (const minutesAgo of [4.99, -5]) {
    const underWay = transfer({ ledger, ada } as Books, '5', 'reversed');
    ledger.reversal(underWay, { minutesAgo }).row.status = 'pending';
  }
  postedAgainAndAgain({ ledger, bob });
  const failed = transfer({ ledger, ada } as Books, '6');
  ledger.transaction({
    type: 'reversal',
    user: ada,
    status: 'failed',
    reference: { id: failed.id, type: null },
    entries: [],
  });
}

/** A deposit that is reversed after each of its postings; the reversals name the deposit, one of them its posting. */
function postedAgainAndAgain({ ledger, bob }: Pick<Books, 'ledger' | 'bob'>): void {
  const { id } = ledger.deposit(bob, '8', { status: 'failed', post: false });
  for (const [minutesAgo, amount] of [
    [90, '8'],
    [70, '7.5'],
    [50, '8'],
    [30, '9'],
  ] as const) {
    const reversal = ledger.reversal(ledger.postDeposit(bob, id, amount, { minutesAgo }), {
      minutesAgo: minutesAgo - 10,
    });
    if (minutesAgo !== 50) Object.assign(reversal.row, { reference_id: id, reference_type: 'deposit' });
    if (minutesAgo === 30) ledger.reversal(ledger.reversal(reversal));
  }
}

/** A transfer of 150 USDC, what became of its reversal, and the amount that was reversed. */
function broken(
  title: string,
  reversed: string,
  spoil: (books: Books, original: Transaction) => Scenario['lookAlike'],
): Scenario {
  return {
    kind: 'broken_reversal',
    title,
    lookAlike: orderlyReversals,
    async fault(books) {
      const original = transfer(books, '150');
      const repair = spoil(books, original)!;
      await books.save();
      const difference = { '0': '-150', '150': '0', '149.5': '-0.5', '300': '150' }[reversed]!;
      return {
        finding: {
          subject: original.subject,
          severity: 'high',
          expected: '150',
          actual: reversed,
          difference,
          currency: 'USDC',
          affectedUserId: books.ada.id,
          also: [],
        },
        repair,
      };
    },
  };
}

/** Reversals that name the record, and what they did not do. */
const namingTheRecord: readonly Scenario[] = [
  {
    kind: 'broken_reversal',
    title: 'a record reversed once too often',
    lookAlike: orderlyReversals,
    fault({ ledger, bob }) {
      const { id, transaction } = ledger.deposit(bob, '30', { status: 'failed', post: true, minutesAgo: 90 });
      const again = ledger.postDeposit(bob, id, '30', { minutesAgo: 80 });
      const reference = { reference_id: id, reference_type: 'deposit' };
      for (const original of [transaction!, again]) Object.assign(ledger.reversal(original).row, reference);
      const third = ledger.reversal(again, { minutesAgo: 10 });
      Object.assign(third.row, reference);
      return {
        finding: {
          subject: again.subject,
          severity: 'high',
          expected: '30',
          actual: '60',
          difference: '30',
          currency: 'USDC',
          affectedUserId: bob.id,
          also: [],
        },
        elsewhere: [`deposits/posted_for_failed/deposit:${id}`],
        repair: ({ reverse }) => reverse(third),
      };
    },
  },
  {
    kind: 'broken_reversal',
    title: 'a conversion across currencies, mirrored but not reversed',
    lookAlike({ ledger }) {
      const { id } = ledger.conversionJob('usdc_to_usd', '10', { status: 'cancelled' });
      for (const minutesAgo of [90, 70]) {
        const posted = ledger.postConversionJob('usdc_to_usd', id, '10', '4', { minutesAgo });
        const reversal = ledger.reversal(posted, { minutesAgo: minutesAgo - 10 });
        Object.assign(reversal.row, { reference_id: id, reference_type: 'conversion_job' });
      }
    },
    fault({ ledger, sql }) {
      const { id } = ledger.conversionJob('usdc_to_usd', '10', { status: 'cancelled' });
      const original = ledger.postConversionJob('usdc_to_usd', id, '10', '5');
      Object.assign(ledger.reversal(original).row, { reference_id: id, reference_type: 'conversion_job' });
      original.row.status = 'completed';
      return {
        finding: {
          subject: original.subject,
          severity: 'high',
          expected: '10',
          actual: '10',
          difference: '0',
          also: [],
        },
        repair: () => sql`update ledger_transactions set status = 'reversed' where id = ${original.id}`,
      };
    },
  },
];

/** A transfer of 150 USDC whose reversal is pending, and not since a moment ago. */
function pendingMirror(title: string, minutesAgo: number): Scenario {
  return {
    kind: 'broken_reversal',
    title,
    lookAlike: orderlyReversals,
    fault(books) {
      const original = transfer(books, '150');
      const mirror = books.ledger.reversal(original, { minutesAgo });
      mirror.row.status = 'pending';
      return {
        finding: {
          subject: original.subject,
          severity: 'high',
          expected: '150',
          actual: '0',
          difference: '-150',
          currency: 'USDC',
          affectedUserId: books.ada.id,
        },
        elsewhere: [`ledger_consistency/posted_while_unposted/${mirror.subject}`],
        repair: () => books.sql`update ledger_transactions set status = 'completed' where id = ${mirror.id}`,
      };
    },
  };
}

export const brokenReversals: readonly Scenario[] = [
  broken('reversed, but without a mirror', '0', (_, original) => {
    original.row.status = 'reversed';
    return ({ reverse }) => reverse(original);
  }),
  broken('mirrored, but not reversed', '150', ({ ledger, sql }, original) => {
    ledger.reversal(original);
    original.row.status = 'completed';
    return () => sql`update ledger_transactions set status = 'reversed' where id = ${original.id}`;
  }),
  broken('reversed twice', '300', ({ ledger }, original) => {
    ledger.reversal(original);
    const second = ledger.reversal(original);
    return ({ reverse }) => reverse(second);
  }),
  broken('a mirror that fell short', '149.5', ({ ledger, sql, rebalance }, original) => {
    const { id, entries } = ledger.reversal(original);
    for (const entry of entries) entry.amount = '149.5';
    return async () => {
      await sql`update ledger_entries set amount = 150 where transaction_id = ${id}`;
      await rebalance();
    };
  }),
  broken(
    'a mirror that fell short, while another is being written',
    '149.5',
    ({ ledger, sql, rebalance }, original) => {
      const short = ledger.reversal(original);
      for (const entry of short.entries) entry.amount = '149.5';
      const another = ledger.reversal(original, { minutesAgo: 1 });
      another.row.status = 'pending';
      return async () => {
        await sql`delete from ledger_entries where transaction_id = ${another.id}`;
        await sql`delete from ledger_transactions where id = ${another.id}`;
        await sql`update ledger_entries set amount = 150 where transaction_id = ${short.id}`;
        await rebalance();
      };
    },
  ),
  broken('a mirror on another account', '150', ({ ledger, sql, ada, rebalance }, original) => {
    const [entry] = ledger.reversal(original).entries;
    const right = entry!.account_id;
    entry!.account_id = ledger.account(ada, 'spending_balance').id;
    return async () => {
      await sql`update ledger_entries set account_id = ${right} where id = ${entry!.id}`;
      await rebalance();
    };
  }),
  broken('the same sides again instead of the mirror', '150', ({ ledger, sql, rebalance }, original) => {
    const { id, entries } = ledger.reversal(original);
    for (const entry of entries) entry.entry_type = entry.entry_type === 'debit' ? 'credit' : 'debit';
    return async () => {
      await sql`
        update ledger_entries set entry_type = case entry_type when 'debit' then 'credit' else 'debit' end
        where transaction_id = ${id}`;
      await rebalance();
    };
  }),
  broken('its mirror failed', '0', ({ ledger, sql, ada }, original) => {
    original.row.status = 'reversed';
    const failed = ledger.transaction({
      type: 'reversal',
      user: ada,
      status: 'failed',
      reference: { id: original.id, type: null },
      entries: [],
    });
    return async ({ reverse }) => {
      await reverse(original);
      await sql`delete from ledger_transactions where id = ${failed.id}`;
    };
  }),
  ...namingTheRecord,
  pendingMirror('a mirror that is pending for longer than the grace period', 5),
  pendingMirror('a mirror that is pending further ahead than clocks may differ', -5.0001),
  reversalOfNothing('20', 'high'),
  reversalOfNothing('1000.01', 'critical'),
];

function reversalOfNothing(amount: string, severity: 'high' | 'critical'): Scenario {
  return {
    kind: 'broken_reversal',
    title: `a reversal of nothing, of ${amount}`,
    lookAlike: orderlyReversals,
    fault(books) {
      const { ledger, ada, sql } = books;
      const entries = [debit(ledger.account(ada, from), amount), credit(ledger.account(ada, to), amount)];
      const reference = { id: ledger.random.uuid(), type: null };
      const { id, subject } = ledger.transaction({ type: 'reversal', user: ada, reference, entries });
      return {
        finding: { subject, severity, actual: amount, currency: 'USDC', affectedUserId: ada.id, also: [] },
        repair: () => sql`update ledger_transactions set transaction_type = 'internal_transfer' where id = ${id}`,
      };
    },
  };
}
