import { recordCheck } from './record-check.ts';

/** Every completed conversion job is posted once, both legs in full, and job and transaction name each other. */
export const conversionJobs = recordCheck({
  name: 'conversion_jobs',
  recordKind: 'conversion_job',
  summary: 'Every completed conversion job is posted once, both legs in full; job and transaction name each other.',
  narrowsBy: ['time'], // a job converts for many users at once
  deadlineMs: (config) => config.stuckAfterMs,
  namesTransaction: true,
});
