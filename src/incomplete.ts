/**
 * Why a check proves nothing: an API was down, an answer was cut short, a table could not be read. Never taken for
 * "passed", nor for a discrepancy.
 */
export class Incomplete extends Error {
  override readonly name = 'Incomplete';
  readonly exitCode: IncompleteExitCode;
  /** What is known all the same: stored in the metadata of the check, snake_case, JSON. */
  readonly details: Record<string, unknown>;
  readonly #excerpt: string | undefined;

  /**
   * `reason` is one whole sentence for the operator, without a secret in it; it is stored and shown. `excerpt` is how
   * something unreadable begins: it is shown, and not stored, because nobody knows what it holds.
   */
  constructor(
    reason: string,
    exitCode: IncompleteExitCode = 3,
    options?: ErrorOptions & { excerpt?: string | undefined; details?: Record<string, unknown> },
  ) {
    super(reason, options);
    this.exitCode = exitCode;
    this.details = options?.details ?? {};
    this.#excerpt = options?.excerpt;
  }

  /** The reason for the person who watches, with the excerpt if there is one. */
  get shown(): string {
    return this.#excerpt === undefined ? this.message : `${this.message} It begins: "${this.#excerpt}"`;
  }
}

/** 3: try again. 77: credentials refused. 78: configuration, schema or privileges. */
export type IncompleteExitCode = 3 | 77 | 78;

/**
 * An answer of less than half the records of the last complete run: a table was cut, not a business. It is not believed, by
 * any run, until a person says so, of a run that looks at everything: an hourly one would leave the next daily one as it
 * was. undefined: it is enough, or `previous` is not known.
 */
export function tooFew(compared: number, previous: number | undefined): Incomplete | undefined {
  if (previous === undefined || compared * 2 >= previous) return undefined;
  const records = compared === 1 ? 'record' : 'records';
  return new Incomplete(
    `Only ${compared} ${records} where the last complete run compared ${previous}; trying again changes nothing, a person has to look: if they were really removed, run once with --type daily --accept-fewer, which settles it for every type of run.`,
    3,
    { details: { too_few: true } },
  );
}

/** Whether the metadata of a stored check are of such a one. */
export function isTooFew(metadata: Record<string, unknown>): boolean {
  const details = metadata['details'] as { too_few?: unknown } | null | undefined;
  return details?.too_few === true;
}
