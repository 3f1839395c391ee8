/** The checks, in the order in which they run and are shown. Apart from the registry, so that help stays light. */
export const checkNames = [
  'ledger_consistency',
  'circle_balance',
  'alpaca_balance',
  'deposits',
  'conversion_jobs',
  'withdrawals',
] as const;

export type CheckName = (typeof checkNames)[number];

export function isCheckName(name: string): name is CheckName {
  return (checkNames as readonly string[]).includes(name);
}
