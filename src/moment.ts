import { parseDuration } from './duration.ts';

/**
 * A point in time as people give it: `7d` (that long ago, or ahead), `2026-11-01` (midnight UTC) or RFC 3339 with its
 * offset. Returns RFC 3339 in UTC with six decimals, so that text sorts as time does, or undefined for anything else.
 */
export function parseMoment(text: string, now: Date, direction: 'ago' | 'ahead' = 'ago'): string | undefined {
  const span = parseDuration(text);
  if (span !== undefined) return toMicroseconds(now.getTime() + (direction === 'ago' ? -span : span), '');
  return parseTime(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
}

function parseTime(text: string): string | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}(?::\d{2})?)(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})$/.exec(text);
  const time = match === null ? NaN : Date.parse(`${match[1] ?? ''}T${match[2] ?? ''}${match[4] ?? ''}`);
  if (match === null || Number.isNaN(time) || !isRealDay(match[1] ?? '')) return undefined;
  return toMicroseconds(time, match[3] ?? '');
}

/** Undefined for a year that four digits cannot tell, or that PostgreSQL does not have. */
function toMicroseconds(time: number, fraction: string): string | undefined {
  const text = new Date(time).toISOString();
  if (!/^\d{4}-/.test(text) || text.startsWith('0000')) return undefined;
  return fraction === '' ? text.replace(/Z$/, '000Z') : text.replace(/\.000Z$/, `${fraction.padEnd(7, '0')}Z`);
}

/** `2026-02-30` would silently become 2 March. */
function isRealDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}
