/** A rule of recon says no: nothing is written, and that is as it should be. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** What whoever asked for it does next, where that is known. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** It was tried, and rolled back: the host said no, or the finding was still there. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

/** How what met one of these ends. */
export function stateAfter(error: Refusal | Failure): 'refused' | 'failed' {
  return error instanceof Refusal ? 'refused' : 'failed';
}
