import type { AskingListener, Retry } from '../custodians/custodian.ts';

/** What is known of a custodian while it is being read, also where nobody waits for the end. */
export class Heard implements AskingListener {
  /** Of how many wallets or accounts the money was read. */
  read = 0;
  /** What kept the last request from being answered; undefined: it was. */
  trouble: string | undefined;
  /** The ids of all that there is to read; undefined: nobody knows yet. */
  ids: readonly string[] | undefined;
  #expectedFrom = performance.now();

  /** For how long an answer has been due; negative: it is not even asked, because its limit is nearly used up. */
  get silentMs(): number {
    return performance.now() - this.#expectedFrom;
  }

  answered(): void {
    this.trouble = undefined;
    this.#expectFrom(performance.now());
  }

  retrying(retry: Retry): void {
    this.trouble = retry.trouble;
  }

  resting(forMs: number): void {
    this.#expectFrom(performance.now() + forMs);
  }

  listed(externalIds: readonly string[]): void {
    this.ids = externalIds;
  }

  /** Whatever was under way before a rest is still answered in it. */
  #expectFrom(moment: number): void {
    this.#expectedFrom = Math.max(this.#expectedFrom, moment);
  }
}
