import { recordCheck } from './record-check.ts';

/** Every settled deposit is posted once, in full, to its own user, and nothing is posted as a deposit without one. */
export const deposits = recordCheck({
  name: 'deposits',
  recordKind: 'deposit',
  summary: 'Every settled deposit is posted once, in full, to its own user; every deposit posting has its deposit.',
  deadlineMs: (config) => config.stuckAfterMs,
  namesTransaction: false,
});
