const unitsMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `10m`, `24h`, `3d` in milliseconds; undefined for anything else, and for what does not fit a timer. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})([smhd])$/.exec(text.trim());
  const unit = unitsMs[match?.[2] ?? ''];
  if (match === null || unit === undefined) return undefined;
  const milliseconds = Number(match[1]) * unit;
  return milliseconds <= 365 * 86_400_000 ? milliseconds : undefined;
}

/** Milliseconds as an interval that PostgreSQL reads. */
export function toInterval(milliseconds: number): string {
  return `${milliseconds / 1000} seconds`; // of milliseconds PostgreSQL 14 takes no more than 24 days
}

/** `412 ms`, `3.1 s`, `2 min 5 s`: for people. */
export function describeDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${Math.round(milliseconds / 100) / 10} s`;
  const seconds = Math.round(milliseconds / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** `just now`, `12 min ago`, `3 h ago`, `2 days ago`; `in 5 min` where a clock is ahead. For people. */
export function describeAge(milliseconds: number): string {
  const minutes = Math.floor(Math.abs(milliseconds) / 60_000);
  if (minutes === 0) return 'just now';
  const span =
    minutes < 120
      ? `${minutes} min`
      : minutes < 2880
        ? `${Math.floor(minutes / 60)} h`
        : `${Math.floor(minutes / 1440)} days`;
  return milliseconds < 0 ? `in ${span}` : `${span} ago`;
}
