import { expect, test } from 'vitest';
import { credit, debit } from '../support/ledger.ts';
import { search } from '../support/run-check.ts';
import { faultyHost, testScenarios, withBooks, type Scenario } from '../support/scenario.ts';
import { recordScenarios } from './record.scenarios.ts';

const host = await faultyHost();

const scenarios = recordScenarios({
  kind: 'deposit',
  table: 'deposits',
  pending: ['pending', 'confirmed', 'off_ramp_initiated', 'off_ramp_completed'],
  settled: ['broker_funded', 'completed'],
  failed: ['failed', 'reversed'],
  deadlineMinutes: 24 * 60,
  add: ({ ledger }, user, amount, options) => ledger.deposit(user, amount, options),
  post: ({ ledger }, user, depositId, amount) => ledger.postDeposit(user, depositId, amount),
});

const ofDeposits: Scenario[] = [
  {
    kind: 'wrong_account',
    title: 'booked in another currency',
    fault({ ledger, ada, sql }) {
      const { id, subject } = ledger.deposit(ada, '120', { post: false });
      const { row } = ledger.transaction({
        type: 'deposit',
        user: ada,
        reference: { id, type: 'deposit' },
        entries: [
          debit(ledger.account(ada, 'fiat_exposure'), '120'),
          credit(ledger.systemAccount('system_buffer_fiat'), '120'),
        ],
      });
      return {
        finding: { subject, severity: 'high', currency: 'USDC', affectedUserId: ada.id, also: [] },
        async repair(books) {
          await sql`update ledger_transactions set transaction_type = 'internal_transfer', reference_type = 'order' where id = ${row.id}`;
          ledger.postDeposit(ada, id, '120');
          await books.save();
        },
      };
    },
  },
  {
    kind: 'duplicate_posting',
    title: 'an allocation split booked twice',
    lookAlike({ ledger, ada }) {
      ledger.allocationSplit(ada, '70', '30');
      ledger.reversal(ledger.reversal(ledger.allocationSplit(ada, '7', '3').transaction!));
    },
    fault({ ledger, ada }) {
      const { id, subject, transaction } = ledger.allocationSplit(ada, '70', '30');
      const reference = { id, type: 'Allocation_Split' };
      const entries = [
        debit(ledger.account(ada, 'spending_balance'), '70'),
        debit(ledger.account(ada, 'stash_balance'), '30'),
        credit(ledger.systemAccount('system_buffer_usdc'), '100'),
      ];
      const second = ledger.transaction({ type: 'deposit', user: ada, reference, entries });
      return {
        finding: {
          subject,
          severity: 'high',
          expected: '100',
          actual: '200',
          difference: '100',
          currency: 'USDC',
          affectedUserId: ada.id,
        },
        repair: ({ reverse }) => reverse(transaction ?? second),
      };
    },
  },
  {
    kind: 'reversed_for_settled',
    title: 'reversed by a transaction that names the deposit',
    fault({ ledger, ada }) {
      const { id, subject, transaction } = ledger.deposit(ada, '55');
      const mirror = ledger.reversal(transaction!);
      Object.assign(mirror.row, { reference_id: id, reference_type: 'deposit' });
      return {
        finding: {
          subject,
          severity: 'high',
          expected: '55',
          actual: '0',
          difference: '-55',
          currency: 'USDC',
          affectedUserId: ada.id,
        },
        repair: () => ledger.postDeposit(ada, id, '55'),
      };
    },
  },
  {
    kind: 'amount_mismatch',
    title: 'only its reversal is booked',
    fault({ ledger, ada }) {
      const { id, subject } = ledger.deposit(ada, '55', { post: false });
      const entries = [
        credit(ledger.account(ada, 'usdc_balance'), '55'),
        debit(ledger.systemAccount('system_buffer_usdc'), '55'),
      ];
      ledger.transaction({ type: 'reversal', user: ada, reference: { id, type: 'deposit' }, entries });
      return {
        finding: {
          subject,
          severity: 'high',
          expected: '55',
          actual: '-55',
          difference: '-110',
          currency: 'USDC',
          affectedUserId: ada.id,
          also: [],
        },
        async repair(books) {
          ledger.postDeposit(ada, id, '55');
          ledger.postDeposit(ada, id, '55');
          await books.save();
        },
      };
    },
  },
];

testScenarios(host, 'deposits', [...scenarios, ...ofDeposits]);

test.each(['amount = null', 'amount = 0', 'amount = -1', "amount = 1, status = 'on_hold'"])(
  'of a deposit whose %s the posting is at stake',
  async (change) => {
    await withBooks(host, async ({ ledger, ada, sql, save }) => {
      const { id } = ledger.deposit(ada, '5000');
      await save();
      await sql`update deposits set ${sql.unsafe(change)} where id = ${id}`;
      expect(await search(sql, 'deposits')).toMatchObject([{ severity: 'critical' }]);
    });
  },
);

test('of a settled deposit without an amount that is not in the books nobody knows how much is missing', async () => {
  await withBooks(host, async ({ ledger, ada, sql, save }) => {
    const never = ledger.deposit(ada, '5', { post: false });
    const undone = ledger.deposit(ada, '6');
    ledger.reversal(undone.transaction!);
    const pending = ledger.deposit(ada, '7', { post: false, status: 'pending' });
    await save();
    await sql`update deposits set amount = null where amount in (5, 6, 7)`;
    const told = await search(sql, 'deposits');
    const stakes = new Map(told.map(({ subject, severity, metadata }) => [subject, [severity, metadata['stake']]]));
    expect(stakes.get(never.subject)).toEqual(['critical', 'NaN']);
    expect(stakes.get(undone.subject)).toEqual(['critical', 'NaN']);
    expect(stakes.get(pending.subject), 'nothing has to be there yet').toEqual(['medium', '0']);
  });
});
