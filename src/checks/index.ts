import { alpacaBalance } from './alpaca-balance.ts';
import type { Check } from './check.ts';
import { circleBalance } from './circle-balance.ts';
import { conversionJobs } from './conversion-jobs.ts';
import { deposits } from './deposits.ts';
import { ledgerConsistency } from './ledger-consistency.ts';
import type { CheckName } from './names.ts';
import { withdrawals } from './withdrawals.ts';

/** The registry: every check, by its name. */
export const checks: Readonly<Record<CheckName, Check>> = {
  ledger_consistency: ledgerConsistency,
  circle_balance: circleBalance,
  alpaca_balance: alpacaBalance,
  deposits,
  conversion_jobs: conversionJobs,
  withdrawals,
};
