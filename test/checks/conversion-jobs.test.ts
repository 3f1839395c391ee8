import type { KindName } from '../../src/kinds.ts';
import { credit, debit, type Transaction } from '../support/ledger.ts';
import { faultyHost, testScenarios, type Books, type Scenario } from '../support/scenario.ts';

const host = await faultyHost();

const direction = 'usdc_to_usd';

const states: Scenario[] = [
  {
    kind: 'unknown_status',
    title: 'a status that the mapping does not know',
    lookAlike({ ledger }) {
      const pending = ['pending', 'provider_submitted', 'provider_processing', 'provider_completed', 'ledger_updating'];
      for (const status of [...pending, 'failed', 'cancelled'])
        ledger.conversionJob(direction, '3', { status, post: false });
      ledger.conversionJob(direction, '3', { status: 'ledger_updating', post: true });
    },
    fault({ ledger, sql }) {
      const { id, subject } = ledger.conversionJob(direction, '100.01', { status: 'on_hold', post: true });
      return {
        finding: { subject, severity: 'high', currency: 'USDC', also: [] },
        repair: () => sql`update conversion_jobs set status = 'completed' where id = ${id}`,
      };
    },
  },
  {
    kind: 'unknown_status',
    title: 'and far more arrived than the leg that is shown says',
    fault({ ledger, sql }) {
      const { id, subject, row } = ledger.conversionJob(direction, '10', { status: 'on_hold', post: false });
      const transaction = ledger.postConversionJob(direction, id, '9', '5000');
      row.ledger_transaction_id = transaction.id;
      return {
        finding: { subject, severity: 'critical', currency: 'USDC', also: [] },
        async repair({ reverse }) {
          await reverse(transaction);
          await sql`update conversion_jobs set status = 'cancelled' where id = ${id}`;
        },
      };
    },
  },
  {
    kind: 'stuck',
    title: 'not final exactly at the deadline',
    lookAlike({ ledger }) {
      ledger.conversionJob(direction, '3', { status: 'provider_submitted', minutesAgo: 24 * 60 - 0.0001 });
    },
    fault({ ledger, sql }) {
      const { id, subject } = ledger.conversionJob('usd_to_usdc', '5000', { status: 'pending', minutesAgo: 24 * 60 });
      return {
        finding: { subject, severity: 'medium', currency: 'USD', also: [] },
        repair: () => sql`update conversion_jobs set status = 'cancelled' where id = ${id}`,
      };
    },
  },
];

/** A pending job with one column spoiled, and what is at stake. */
function invalid(
  title: string,
  change: { amount?: string | null; destination_amount?: string },
  finding: { severity: 'medium' | 'critical'; currency: 'USDC' | 'USD' },
): Scenario {
  return {
    kind: 'invalid_record',
    title,
    lookAlike: ({ ledger }) => ledger.conversionJob(direction, '0.000001', { status: 'pending' }),
    fault({ ledger, sql }) {
      const { id, subject, row } = ledger.conversionJob(direction, '10', { status: 'pending' });
      Object.assign(row, change);
      return {
        finding: { subject, ...finding, also: [] },
        repair: () => sql`update conversion_jobs set amount = 10, destination_amount = 10 where id = ${id}`,
      };
    },
  };
}

/** Completed, and says only that a cent arrives: of what it takes, 5,000 or whatever, it says nothing. */
function withoutSource(title: string, post: boolean, also: KindName[]): Scenario {
  return {
    kind: 'invalid_record',
    title: `no source amount, and ${title}`,
    fault({ ledger, sql }) {
      const { id, subject, row } = ledger.conversionJob(direction, '5000', { rate: '0.000002', post });
      Object.assign(row, { amount: null, source_amount: null });
      return {
        finding: { subject, severity: 'critical', currency: 'USD', also },
        repair: () =>
          post
            ? sql`update conversion_jobs set amount = 5000 where id = ${id}`
            : sql`delete from conversion_jobs where id = ${id}`,
      };
    },
  };
}

const invalidRecords: Scenario[] = [
  invalid('zero', { amount: '0' }, { severity: 'medium', currency: 'USDC' }),
  invalid('no amount', { amount: null }, { severity: 'medium', currency: 'USD' }),
  invalid('NaN', { amount: 'NaN' }, { severity: 'critical', currency: 'USDC' }),
  invalid('nothing arrives', { destination_amount: '-1' }, { severity: 'medium', currency: 'USDC' }),
  withoutSource('posted', true, []),
  withoutSource('not posted', false, ['missing_in_ledger']),
  {
    kind: 'invalid_record',
    title: 'the same id twice',
    async fault({ ledger, sql, save }) {
      const { id, subject } = ledger.conversionJob(direction, '10');
      await save();
      await sql`insert into conversion_jobs select * from conversion_jobs where id = ${id}`;
      return {
        finding: { subject, severity: 'medium', currency: 'USDC', also: [] },
        repair: () =>
          sql`delete from conversion_jobs where ctid = (select max(ctid) from conversion_jobs where id = ${id})`,
      };
    },
  },
];

const postings: Scenario[] = [
  {
    kind: 'duplicate_posting',
    title: 'booked by two transactions',
    lookAlike({ ledger }) {
      const again = ledger.conversionJob(direction, '100', { rate: '0.9' });
      ledger.reversal(again.transaction!);
      again.row.ledger_transaction_id = ledger.postConversionJob(direction, again.id, '100', '90').id;
    },
    fault({ ledger }) {
      const { id, subject } = ledger.conversionJob(direction, '100', { rate: '0.9' });
      const second = ledger.postConversionJob(direction, id, '100', '90');
      return {
        finding: {
          subject,
          severity: 'high',
          expected: '100',
          actual: '200',
          difference: '100',
          currency: 'USDC',
          also: ['amount_mismatch'],
        },
        repair: ({ reverse }) => reverse(second),
      };
    },
  },
  {
    kind: 'wrong_account',
    title: 'dollars booked where USDC were converted',
    fault({ ledger, sql }) {
      const { id, subject, row } = ledger.conversionJob(direction, '120', { post: false });
      const fiat = ledger.systemAccount('system_buffer_fiat');
      const wrong = ledger.transaction({
        type: 'conversion',
        reference: { id, type: 'CONVERSION' },
        entries: [credit(ledger.systemAccount('broker_operational'), '120'), debit(fiat, '120')],
      });
      row.ledger_transaction_id = wrong.id;
      return {
        finding: { subject, severity: 'high', currency: 'USDC', also: [] },
        async repair({ save }) {
          await sql`update ledger_transactions set reference_id = null where id = ${wrong.id}`;
          const { id: right } = ledger.postConversionJob(direction, id, '120', '120');
          await save();
          await sql`update conversion_jobs set ledger_transaction_id = ${right} where id = ${id}`;
        },
      };
    },
  },
  {
    kind: 'posted_for_failed',
    title: 'cancelled, but booked',
    lookAlike({ ledger }) {
      ledger.reversal(ledger.conversionJob(direction, '9', { status: 'cancelled', post: true }).transaction!);
    },
    fault({ ledger }) {
      const { subject, transaction } = ledger.conversionJob(direction, '80', { status: 'failed', post: true });
      return {
        finding: {
          subject,
          severity: 'high',
          expected: '0',
          actual: '80',
          difference: '80',
          currency: 'USDC',
          also: [],
        },
        repair: ({ reverse }) => reverse(transaction!),
      };
    },
  },
  {
    kind: 'posted_for_failed',
    title: 'cancelled, with only its destination leg booked',
    fault({ ledger }) {
      const { id, subject } = ledger.conversionJob(direction, '80', { status: 'cancelled', post: false });
      const [fiat, broker] = [ledger.systemAccount('system_buffer_fiat'), ledger.systemAccount('broker_operational')];
      const entries = [debit(fiat, '80'), credit(broker, '0')];
      const transaction = ledger.transaction({ type: 'conversion', reference: { id, type: null }, entries });
      return {
        finding: {
          subject,
          severity: 'high',
          expected: '0',
          actual: '80',
          difference: '80',
          currency: 'USD',
        },
        elsewhere: [`ledger_consistency/unbalanced_transaction/${transaction.subject}`],
        repair: ({ reverse }) => reverse(transaction),
      };
    },
  },
  {
    kind: 'reversed_for_settled',
    title: 'completed, but the booking was taken back',
    fault({ ledger, sql, save }) {
      const { id, subject, transaction } = ledger.conversionJob(direction, '80', { rate: '0.5' });
      ledger.reversal(transaction!);
      return {
        finding: {
          subject,
          severity: 'high',
          expected: '80',
          actual: '0',
          difference: '-80',
          currency: 'USDC',
          also: ['amount_mismatch'],
        },
        async repair() {
          const again = ledger.postConversionJob(direction, id, '80', '40');
          await save();
          await sql`update conversion_jobs set ledger_transaction_id = ${again.id} where id = ${id}`;
        },
      };
    },
  },
  {
    kind: 'missing_in_ledger',
    title: 'completed exactly the grace period ago',
    lookAlike: ({ ledger }) => ledger.conversionJob(direction, '80', { post: false, minutesAgo: 4.9999 }),
    fault({ ledger, sql, save }) {
      const { id, subject } = ledger.conversionJob(direction, '80', { post: false, minutesAgo: 5 });
      return {
        finding: {
          subject,
          severity: 'medium',
          expected: '80',
          actual: '0',
          difference: '-80',
          currency: 'USDC',
          also: [],
        },
        async repair() {
          const transaction = ledger.postConversionJob(direction, id, '80', '80');
          await save();
          await sql`update conversion_jobs set ledger_transaction_id = ${transaction.id} where id = ${id}`;
        },
      };
    },
  },
  {
    kind: 'missing_in_source',
    title: 'a booking of a job that does not exist',
    lookAlike({ ledger, ada }) {
      ledger.divestment(ada, '5'); // a conversion that names no job
      ledger.reversal(ledger.postConversionJob(direction, ledger.random.uuid(), '70', '35'));
    },
    fault({ ledger }) {
      const transaction = ledger.postConversionJob(direction, ledger.random.uuid(), '70', '35');
      return {
        finding: {
          subject: transaction.subject,
          severity: 'medium',
          expected: '0',
          actual: '70',
          difference: '70',
          currency: 'USDC',
          also: [],
        },
        repair: ({ reverse }) => reverse(transaction),
      };
    },
  },
];

/** A job of 100 USDC at 0.995 less 0.5: 99 USD should arrive. */
function different(
  title: string,
  booked: { source: string; destination: string },
  finding: {
    expected: string;
    actual: string;
    difference: string;
    currency: 'USDC' | 'USD';
    severity: 'low' | 'medium' | 'critical';
  },
): Scenario {
  const post = ({ ledger }: Books, source: string, destination: string) => {
    const job = ledger.conversionJob(direction, '100', { rate: '0.995', fees: '0.5', post: false });
    const transaction = ledger.postConversionJob(direction, job.id, source, destination);
    job.row.ledger_transaction_id = transaction.id;
    return { ...job, transaction };
  };
  return {
    kind: 'amount_mismatch',
    title,
    lookAlike(books) {
      // the host fills the destination late: until then it follows from rate and fees
      post(books, '100', '99').row.destination_amount = null;
      const unknown = post(books, '100', '77').row;
      Object.assign(unknown, { destination_amount: null, exchange_rate: null });
    },
    fault(books) {
      const { subject, transaction } = post(books, booked.source, booked.destination);
      const [source, destination] = transaction.entries;
      return {
        finding: { subject, ...finding, also: [] },
        async repair({ sql, rebalance }) {
          await sql`update ledger_entries set amount = 100 where id = ${source!.id}`;
          await sql`update ledger_entries set amount = 99 where id = ${destination!.id}`;
          await rebalance();
        },
      };
    },
  };
}

const amounts: Scenario[] = [
  different(
    'the source leg',
    { source: '99.999999', destination: '99' },
    { expected: '100', actual: '99.999999', difference: '-0.000001', currency: 'USDC', severity: 'low' },
  ),
  different(
    'the destination leg',
    { source: '100', destination: '100.000001' },
    { expected: '99', actual: '100.000001', difference: '1.000001', currency: 'USD', severity: 'medium' },
  ),
  different(
    'both legs, the source first',
    { source: '98', destination: '100' },
    { expected: '100', actual: '98', difference: '-2', currency: 'USDC', severity: 'medium' },
  ),
  different(
    'both legs, and as severe as the one that is further off',
    { source: '99.5', destination: '5099' },
    { expected: '100', actual: '99.5', difference: '-0.5', currency: 'USDC', severity: 'critical' },
  ),
];

/** A completed and posted job whose link is not what it should be. */
function unlinked(title: string, link: (books: Books, job: { id: string }) => string | null): Scenario {
  return {
    kind: 'unlinked',
    title,
    lookAlike({ ledger }) {
      ledger.conversionJob(direction, '5000', { minutesAgo: 4.9999 }).row.ledger_transaction_id = null;
      const restored = ledger.conversionJob(direction, '5000');
      const restoring = ledger.reversal(ledger.reversal(restored.transaction!));
      restored.row.ledger_transaction_id = restoring.id;
    },
    fault(books) {
      const { id, subject, row, transaction } = books.ledger.conversionJob(direction, '5000');
      row.ledger_transaction_id = link(books, { id });
      return {
        finding: { subject, severity: 'low', currency: 'USDC', also: [] },
        repair: ({ sql }) =>
          sql`update conversion_jobs set ledger_transaction_id = ${transaction!.id} where id = ${id}`,
      };
    },
  };
}

/** A transaction that carries the id of a job and books none. */
function namesake({ ledger }: Books, id: string, type: string, idempotencyKey?: string): Transaction {
  const [fiat, broker] = [ledger.systemAccount('system_buffer_fiat'), ledger.systemAccount('broker_operational')];
  return ledger.transaction({
    type: 'buffer_replenishment',
    reference: { id, type },
    entries: [debit(fiat, '3'), credit(broker, '3')],
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  });
}

const links: Scenario[] = [
  unlinked('names no transaction, though one names it', () => null),
  unlinked(
    'names a transaction that books something else',
    ({ ledger, ada }) => ledger.deposit(ada, '5000').transaction!.id,
  ),
  unlinked('names a transaction that does not exist', ({ ledger }) => ledger.random.uuid()),
  unlinked('names a transaction with its id that is of an order', (books, { id }) => namesake(books, id, 'order').id),
  unlinked(
    'names an opening balance with its id',
    (books, { id }) => namesake(books, id, 'conversion_job', 'migration_7').id,
  ),
  {
    kind: 'unlinked',
    title: 'names the reversal of its booking instead of the next booking',
    fault({ ledger, sql }) {
      const { id, subject, row, transaction } = ledger.conversionJob(direction, '50');
      row.ledger_transaction_id = ledger.reversal(transaction!).id;
      const again = ledger.postConversionJob(direction, id, '50', '50');
      return {
        finding: { subject, severity: 'low', currency: 'USDC', also: [] },
        repair: () => sql`update conversion_jobs set ledger_transaction_id = ${again.id} where id = ${id}`,
      };
    },
  },
];

testScenarios(host, 'conversion_jobs', [...states, ...invalidRecords, ...postings, ...amounts, ...links]);
