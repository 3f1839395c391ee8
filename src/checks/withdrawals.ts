import { recordCheck } from './record-check.ts';

/** Every settled withdrawal is posted once, in full, to its own user, and nothing is posted as a withdrawal without one. */
export const withdrawals = recordCheck({
  name: 'withdrawals',
  recordKind: 'withdrawal',
  summary: 'Every settled withdrawal is posted once, in full, to its own user; every such posting has its withdrawal.',
  deadlineMs: (config) => config.withdrawalStuckAfterMs,
  namesTransaction: false,
});
