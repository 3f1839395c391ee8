import type { Living } from './lives.ts';
import type { ModelRow } from '../exceptions/life-model.ts';

/** What became of an exception since somebody heard of it. */
export interface News extends Living {
  change: string;
}

const loud = ['high', 'critical'];
const told = ['created', 'returned', 'escalated', 'reopened', 'acceptance_ended', 'snooze_ended', 'became', 'cleared'];

/** Somebody who hears of high and critical exceptions, and of everything once. */
export class Hearer {
  /** How many events of each exception are old. */
  readonly #heard = new Map<ModelRow, number>();
  /** Those that were loud once: whoever heard of one hears that it is over, however small it was by then. */
  readonly #loud = new Set<ModelRow>();

  /** What is news by now. */
  hear(all: readonly Living[], at: number): News[] {
    return all.flatMap(({ check, row }) => {
      if (loud.includes(row.severity)) this.#loud.add(row);
      const change = this.#changeOf(row, at);
      this.#heard.set(row, row.events.length);
      return change === null ? [] : [{ check, row, change }];
    });
  }

  #changeOf(row: ModelRow, at: number): string | null {
    const happened = row.events.slice(this.#heard.get(row) ?? 0).filter((event) => told.includes(event));
    if (happened.length === 0) return null;
    const isNew = happened.some((event) => event === 'created' || event === 'returned');
    if (row.resolved !== null) return this.#loud.has(row) && !isNew ? endOf(happened) : null;
    if (mayWait(row, at) || !loud.includes(row.severity)) return null;
    if (isNew) return 'new';
    return happened.includes('escalated') ? 'escalated' : 'reopened';
  }
}

/** By a run: that people resolved it is known to them. */
function endOf(happened: readonly string[]): string | null {
  if (happened.includes('became')) return 'replaced';
  return happened.includes('cleared') ? 'cleared' : null;
}

/** Somebody has said so. */
function mayWait({ acceptedUntil, snoozedUntil }: ModelRow, at: number): boolean {
  return Math.max(acceptedUntil ?? 0, snoozedUntil ?? 0) > at;
}
