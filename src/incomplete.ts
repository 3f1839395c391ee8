/**
 * Why a check proves nothing: an API was down, an answer was cut short, a table could not be read. Never taken for
 * "passed", nor for a discrepancy.
 */
export class Incomplete extends Error {
  override readonly name = 'Incomplete';
  readonly exitCode: IncompleteExitCode;

  /** `reason` is one whole sentence for the operator, without a secret in it; it is stored and shown. */
  constructor(reason: string, exitCode: IncompleteExitCode = 3, options?: ErrorOptions) {
    super(reason, options);
    this.exitCode = exitCode;
  }
}

/** 3: try again. 77: credentials refused. 78: configuration, schema or privileges. */
export type IncompleteExitCode = 3 | 77 | 78;
