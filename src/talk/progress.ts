import { describeDuration } from '../duration.ts';
import { widthOf, type Output, type World } from '../world.ts';

const redrawMs = 200;

/** What is over sooner needs no line. */
const patienceMs = 1_000;

const eraseLine = '\r\u001b[2K';

/** One line at the foot of a terminal, rewritten while something takes long; nothing at all where nobody looks at it. */
export class ProgressLine {
  readonly #world: Pick<World, 'stderr' | 'now'>;
  readonly #shown: boolean;
  #phase = '';
  #detail = '';
  #limit = '';
  #since = 0;
  #drawn = false;
  #timer: NodeJS.Timeout | undefined;

  /** `silent`: nothing is to be said, on a terminal neither. */
  constructor(world: Pick<World, 'stderr' | 'now' | 'env'>, silent: boolean) {
    this.#world = world;
    const { CI, TERM } = world.env;
    this.#shown = !silent && world.stderr.isTTY === true && (CI ?? '') === '' && TERM !== 'dumb';
  }

  /** What is going on, how far it is, and how long it takes at most. The time counts from the first word about a phase. */
  show(phase: string, detail = '', limitMs?: number): void {
    if (!this.#shown) return;
    if (phase !== this.#phase) {
      this.#erase();
      this.#phase = phase;
      this.#since = this.#world.now().getTime();
    }
    this.#detail = detail;
    this.#limit = limitMs === undefined ? '' : ` of ${describeDuration(limitMs)} at most`;
    this.#timer ??= setInterval(() => {
      this.#draw();
    }, redrawMs).unref();
  }

  /** stderr for whatever else is said meanwhile: it takes the place of the line, which is drawn again below it. */
  get above(): Pick<Output, 'isTTY' | 'columns' | 'write'> {
    const { stderr } = this.#world;
    return {
      ...(stderr.isTTY !== undefined && { isTTY: stderr.isTTY }),
      get columns() {
        return widthOf(stderr);
      },
      write: (text: string) => {
        this.#erase();
        return stderr.write(text);
      },
    };
  }

  /** Takes the line away for good. */
  end(): void {
    clearInterval(this.#timer);
    this.#erase();
  }

  #draw(): void {
    const { stderr, now } = this.#world;
    const elapsedMs = now().getTime() - this.#since;
    if (elapsedMs < patienceMs) return;
    const time = describeDuration(Math.floor(elapsedMs / 1_000) * 1_000) + this.#limit;
    const line = [this.#phase, this.#detail, time].filter((part) => part !== '').join(' · ');
    stderr.write(`${eraseLine}${line.slice(0, widthOf(stderr) - 1)}`); // a line that wraps could not be erased
    this.#drawn = true;
  }

  #erase(): void {
    if (this.#drawn) this.#world.stderr.write(eraseLine);
    this.#drawn = false;
  }
}
