/** Strikes once, at the nth thing that a run sends: a message to the database, a request to a custodian, an alert. */
export class Countdown {
  #left = Infinity;
  #blow: () => void = () => undefined;

  /** From now on. */
  strikeAt(place: number, blow: () => void): void {
    [this.#left, this.#blow] = [place, blow];
  }

  /** Strikes no more. */
  rest(): void {
    this.#left = Infinity;
  }

  /** One more is sent. */
  count(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#blow();
  }
}
