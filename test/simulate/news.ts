import type { ModelRow } from '../exceptions/life-model.ts';

/** How many exceptions became what, as an alert counts them. */
export type News = Record<string, number>;

const loud = ['high', 'critical'];
const told = ['created', 'returned', 'escalated', 'reopened', 'acceptance_ended', 'snooze_ended', 'cleared'];

/** Somebody who hears of high and critical exceptions, and of everything once: DESIGN §10. */
export class Hearer {
  /** How many events of each exception are old. */
  readonly #heard = new Map<ModelRow, number>();

  /** What is news by now. */
  hear(rows: readonly ModelRow[], at: number): News {
    const news: News = {};
    for (const row of rows) {
      const change = changeOf(row, row.events.slice(this.#heard.get(row) ?? 0), at);
      this.#heard.set(row, row.events.length);
      if (change !== null) news[change] = (news[change] ?? 0) + 1;
    }
    return news;
  }
}

function changeOf(row: ModelRow, events: readonly string[], at: number): string | null {
  const happened = events.filter((event) => told.includes(event));
  if (happened.length === 0 || !loud.includes(row.severity)) return null;
  const isNew = happened.some((event) => event === 'created' || event === 'returned');
  if (row.resolved !== null) return happened.includes('cleared') && !isNew ? 'cleared' : null;
  if ((row.acceptedUntil ?? 0) > at || (row.snoozedUntil ?? 0) > at) return null; // somebody has said that it may wait
  if (isNew) return 'new';
  return happened.includes('escalated') ? 'escalated' : 'reopened';
}
