/**
 * What the operator can mend: one sentence that names the thing, one that says what to do next, no stack.
 * Everything else that is thrown is a bug and ends with exit code 1.
 */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly hint: string | undefined;
  readonly exitCode: OperatorExitCode;

  /** `message` and `hint` are whole sentences without a secret in them; `cause` is what led to it. */
  constructor(exitCode: OperatorExitCode, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/**
 * The exit codes that an operator's mistake, or the operator's world, can lead to (see exit-codes.ts): 64 where the command
 * line is wrong, also an id in it; 2 where it is right, and what is on record, or who was asked, says no to it: nothing was
 * changed.
 */
export type OperatorExitCode = 2 | 3 | 4 | 64 | 77 | 78;
