import { readFile } from 'node:fs/promises';

/** One query of totals-only.sql. */
export interface TotalsQuery {
  title: string;
  text: string;
}

export async function readTotalsOnly(): Promise<TotalsQuery[]> {
  const file = await readFile(new URL('./totals-only.sql', import.meta.url), 'utf8');
  const [, ...parts] = file.split('\n\n-- ');
  return parts.map((part) => {
    const [title = '', ...lines] = part.split('\n');
    return { title, text: lines.join('\n') };
  });
}
