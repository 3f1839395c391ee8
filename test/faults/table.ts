import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { faults, type FaultName } from './faults.ts';
import type { Kept } from './kept.ts';
import { phaseNames } from './moments.ts';

const readme = fileURLToPath(new URL('../README.md', import.meta.url));

const [opening, closing] = ['<!-- npm run faults -->', '<!-- end of the faults -->'];

const header = [
  'fault',
  'what is done',
  'how often, and where',
  'how the run ended',
  'what it left',
  'the next run',
  'when, and of which commit',
];

/** A row of the table: what was done under one name, at how many of all its moments, and what held. Undefined: nothing. */
export function rowOf(name: FaultName, kept: readonly Kept[], all: number): string[] | undefined {
  const trials = kept.flatMap(({ trial }) => trial ?? []);
  if (trials.length === 0) return undefined;
  const possible = all - (kept.length - trials.length);
  const held = trials.filter((trial) => 'end' in trial);
  const broken = trials.length - held.length;
  const byPhase = phaseNames.map((phase) => [phase, trials.filter((trial) => trial.phase === phase).length] as const);
  const where = byPhase.filter(([, times]) => times > 0).map(([phase, times]) => `${phase} ${times}`);
  return [
    `\`${name}\``,
    faults[name].what,
    `${trials.length} of ${possible}: ${where.join(', ')}`,
    countedList(held.map(({ end }) => end)),
    countedList(held.map(({ left }) => left)),
    broken === 0 ? `clean ${held.length}` : `clean ${held.length}, **not ${broken}**`,
    [...new Set(kept.map(({ day, commit }) => `${day} ${commit}`))].join(', '),
  ];
}

/** `exit 3 210, exit 2 30`, the most frequent first. */
function countedList(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const sorted = [...counts].toSorted(([a, one], [b, other]) => other - one || (a < b ? -1 : 1));
  return sorted.map(([name, times]) => `${name} ${times}`).join(', ');
}

export function markdown(rows: readonly string[][]): string {
  const widths = header.map((title, column) =>
    Math.max(...[title, ...rows.map((row) => row[column]!)].map(({ length }) => length)),
  );
  const line = (cells: string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** Puts these rows in the place of those of the same faults in test/README.md; the others stay. */
export async function writeReadme(rows: ReadonlyMap<FaultName, string[]>): Promise<void> {
  const text = await readFile(readme, 'utf8');
  const [start, end] = [text.indexOf(opening) + opening.length, text.indexOf(closing)];
  const known = new Map(rowsIn(text.slice(start, end)));
  const all = (Object.keys(faults) as FaultName[]).flatMap((name) => {
    const row = rows.get(name) ?? known.get(name);
    return row === undefined ? [] : [row];
  });
  await writeFile(readme, `${text.slice(0, start)}\n\n${markdown(all)}\n\n${text.slice(end)}`);
}

function rowsIn(table: string): [name: string, row: string[]][] {
  return table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.slice(1, -1).split('|'))
    .map((cells) => cells.map((cell) => cell.trim()))
    .map((cells) => [cells[0]!.replaceAll('`', ''), cells]);
}
