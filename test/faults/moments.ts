import type { Message } from '../simulate/line-cutter.ts';
import type { SandboxAnswer, SandboxRequest } from '../support/sandbox-server.ts';

/** A message to the database that makes it do something, before it gets there. */
export interface Statement extends Message {
  kind: 'statement';
  phase: Phase;
}

/** A request to anybody else, before it is answered. */
export interface Request {
  kind: 'request';
  phase: Phase;
  /** `circle GET /v1/w3s/wallets`. */
  says: string;
  /** What would be answered. */
  real: () => SandboxAnswer;
  /** Puts that in the place of the answer. */
  answerWith: (answer: SandboxAnswer | 'reset') => void;
}

/** Whenever a run speaks to somebody. */
export type Moment = Statement | Request;

/** What a run is about, in its order, and what it says first in each phase. */
const phases = [
  ['begins', /^connect/],
  ['reads the custodians', /^(circle|alpaca) /],
  ['compares', /^with open_transaction/],
  ['asks the custodians again', /^(circle|alpaca) /],
  ['stores', /^update \S+reconciliation_reports" as stored set status/],
  ['corrects', /reconciliation_correction_switch"/],
  ['tells', /this target is not configured any more/],
] as const satisfies [string, RegExp][];

export type Phase = (typeof phases)[number][0];

export const phaseNames: readonly Phase[] = phases.map(([name]) => name);

/** Goes through the moments of a run, in the order in which it speaks, and strikes at one of them. */
export class Moments {
  /** Those that passed so far. */
  readonly passed: Moment[] = [];
  /** The one that was struck, and whether there was anything to do: that rejects where it could not be done. */
  struck: { moment: Moment; isDone: Promise<boolean> } | undefined;
  #phase = 0;
  #left = Infinity;
  #isMeant: (moment: Moment) => boolean = () => true;
  #strike: Strike = () => undefined;

  /** A run begins. */
  begin(): void {
    this.passed.length = 0;
    this.struck = undefined;
    this.#phase = 0;
  }

  /** Calls `strike` at the nth moment of the run that is meant. What it returns is waited for. */
  strikeAt(place: number, isMeant: (moment: Moment) => boolean, strike: Strike): void {
    this.begin();
    [this.#left, this.#isMeant, this.#strike] = [place, isMeant, strike];
  }

  /** Strikes no more. */
  rest(): void {
    this.#left = Infinity;
  }

  /** A message to the database. What only lets it read a statement changes nothing there, and is no moment. */
  message(message: Message): Promise<void> | void {
    if (!message.executes && message.says !== 'connect') return;
    return this.#pass(Object.assign(message, { kind: 'statement' as const, phase: this.#phaseOf(message.says) }));
  }

  /** A request that came to `server`. Returns what is to be answered; throws to answer nothing. */
  request(server: string, { method, url }: SandboxRequest, real: () => SandboxAnswer): SandboxAnswer {
    let given: SandboxAnswer | 'reset' | undefined;
    const says = `${server} ${method} ${url.pathname}`;
    const answerWith = (answer: typeof given) => {
      given = answer;
    };
    void this.#pass({ kind: 'request', phase: this.#phaseOf(says), says, real, answerWith });
    if (given === 'reset') throw new Error('no answer');
    return given ?? real();
  }

  #phaseOf(says: string): Phase {
    const next = phases.findIndex(([, opening], index) => index >= this.#phase && opening.test(says));
    if (next > 0) this.#phase = next;
    return phases[this.#phase]![0];
  }

  #pass(moment: Moment): Promise<void> | void {
    this.passed.push(moment);
    if (!this.#isMeant(moment)) return;
    this.#left -= 1;
    if (this.#left !== 0) return;
    const isDone = this.#strikeNow(moment);
    this.struck = { moment, isDone };
    const goOn = () => undefined; // whoever struck asks what became of it
    return isDone.then(goOn, goOn);
  }

  async #strikeNow(moment: Moment): Promise<boolean> {
    return (await this.#strike(moment)) !== false;
  }
}

/** May say that there was nothing to do: false. */
export type Strike = (moment: Moment) => unknown;
