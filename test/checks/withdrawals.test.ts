import { faultyHost, testScenarios } from '../support/scenario.ts';
import { recordScenarios } from './record.scenarios.ts';

const host = await faultyHost();

const scenarios = recordScenarios({
  kind: 'withdrawal',
  table: 'withdrawals',
  pending: ['pending', 'initiated', 'processing', 'alpaca_debited', 'due_processing', 'onchain_transfer'],
  settled: ['completed'],
  failed: ['failed', 'reversed', 'timeout'],
  deadlineMinutes: 72 * 60,
  add: ({ ledger }, user, amount, options) => ledger.withdrawal(user, amount, options),
  post: ({ ledger }, user, withdrawalId, amount) => ledger.postWithdrawal(user, withdrawalId, amount),
});

testScenarios(host, 'withdrawals', scenarios);
