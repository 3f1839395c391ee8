/** What each exit code means to a scheduler: the table of `recon help exit-codes` and of the README. */
export const exitCodes = [
  { code: 0, meaning: 'complete, and nothing found at or above --fail-on', retry: '' },
  { code: 1, meaning: 'a bug in recon: unexpected error, with its stack', retry: '' },
  {
    code: 2,
    meaning:
      'complete, and findings at or above --fail-on exist (doctor, migrate status: there is something to do; a change: it is refused, or not confirmed)',
    retry: 'no',
  },
  { code: 3, meaning: 'incomplete: at least one check proves nothing (database, API, deadline)', retry: 'once' },
  { code: 4, meaning: 'another run holds the lock', retry: 'later' },
  { code: 64, meaning: 'usage: an unknown flag, value or id', retry: 'no' },
  { code: 77, meaning: 'credentials refused', retry: 'no' },
  { code: 78, meaning: 'configuration or schema', retry: 'no' },
  { code: 130, meaning: 'interrupted by SIGINT', retry: '' },
  { code: 143, meaning: 'interrupted by SIGTERM', retry: '' },
] as const;

export type ExitCode = (typeof exitCodes)[number]['code'];

/** Which code wins where several apply to one run; signals and bugs come before all of them. */
const precedence = [78, 77, 3, 2, 0] as const satisfies readonly ExitCode[];

/** The code of a run to which all of these apply. */
export function strongest(codes: readonly ExitCode[]): ExitCode {
  return precedence.find((code) => codes.includes(code)) ?? 0;
}
