import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path/posix';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../src/exit-codes.ts';
import { relations } from '../src/source.ts';
import { variables, type Variable } from '../src/environment/variables.ts';

const read = (name: string) => readFile(new URL(`../${name}`, import.meta.url), 'utf8');

/** The cells of every table row of a Markdown text. */
function rowsOf(markdown: string): string[][] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

/** Whole numbers with their units: of `18.2 s` never `8.2 s`. */
function figuresOf(text: string): string[] {
  return text.match(/\d[\d.,]* (?:s|MiB|minutes)\b/g) ?? [];
}

describe('README', () => {
  it('lists every variable with its type, default and meaning, and no other', async () => {
    const listed = rowsOf(await read('README.md')).filter(([name]) => /^`[A-Z_]+`$/.test(name ?? ''));
    const known = variables.map((variable: Variable) => [
      `\`${variable.name}\``,
      variable.choices?.join(', ') ?? variable.kind,
      variable.default ?? '',
      variable.meaning,
    ]);
    expect(listed).toEqual(known);
  });

  it('lists the columns of every relation that a mapping makes', async () => {
    const listed = (await read('README.md')).match(/^- `\w+`: \w+ \w+(?:, \w+ \w+)+$/gm);
    const columnsOf = (columns: object) => Object.entries(columns).map(([name, type]) => `${name} ${type}`);
    const known = Object.entries(relations).map(([name, columns]) => `- \`${name}\`: ${columnsOf(columns).join(', ')}`);
    expect(listed).toEqual(known);
  });

  it('has the table of exit codes', async () => {
    const listed = rowsOf(await read('README.md')).filter(([code]) => /^\d+$/.test(code ?? ''));
    expect(listed).toEqual(exitCodes.map(({ code, meaning, retry }) => [String(code), meaning, retry]));
  });

  it('has no figure that test/README.md does not have with its conditions', async () => {
    const [, costs] = /^### What it costs[^\n]*\n([^]*?)^#/m.exec(await read('README.md'))!;
    const figures = figuresOf(costs!);
    const measured = figuresOf(await read('test/README.md'));
    expect(figures.length).toBeGreaterThan(9);
    expect(figures.filter((figure) => !measured.includes(figure))).toEqual([]);
  });

  it('leads to chapters and files that are there', async () => {
    for (const name of ['README.md', 'test/README.md', 'deploy/runbook.md', 'deploy/backup.md'])
      for (const [, path, chapter] of (await read(name)).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
        const text = await read(path === '' ? name : join(dirname(name), path!));
        const chapters = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
          title!
            .toLowerCase()
            .replace(/[^\w -]/g, '')
            .replaceAll(' ', '-'),
        );
        if (chapter !== undefined) expect(chapters, `${name}: ${path!}#${chapter}`).toContain(chapter);
      }
  });
});

describe('.env.example', () => {
  it('has every variable with its default and meaning', async () => {
    const example = await read('.env.example');
    for (const variable of variables as readonly Variable[]) {
      if (variable.name === 'DATABASE_URL') continue;
      expect(example).toContain(`# ${variable.meaning}\n# ${variable.name}=${variable.default ?? ''}\n`);
    }
    expect(example).toMatch(/^DATABASE_URL=postgres:\/\//m);
  });
});
