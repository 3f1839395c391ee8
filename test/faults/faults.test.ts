import { readFile } from 'node:fs/promises';
import { expect, inject, test } from 'vitest';
import { isMeant } from './fault.ts';
import { faults, type FaultName } from './faults.ts';
import type { Left } from './held.ts';
import type { Phase } from './moments.ts';
import { withStage, type Stage } from './stage.ts';
import { attempt, rehearse } from './trial.ts';

/** Where it matters most (`npm run faults` strikes everywhere): the last such moment of a phase. */
const strikes: [fault: FaultName, phase: Phase, says: RegExp, left: Left][] = [
  ['kill -9', 'compares', /^savepoint/, 'a report without a result'],
  ['kill -9', 'stores', /^insert into \S+reconciliation_told"/, 'a report without a result'],
  ['answer lost', 'stores', /^commit/, 'its whole result'],
  ['kill -9', 'tells', /^webhook/, 'its whole result'],
  ['kill -9', 'tells', /set state = case/, 'its whole result'],
];

test('whatever is done to a run leaves all of it or nothing, and the next one is clean', async () => {
  const checks = { RECONCILIATION_CHECKS: 'deposits' };
  await withStage(inject('serverUrl'), inject('templateDatabase'), play, checks);

  async function play(stage: Stage) {
    const { moments, books } = await rehearse(stage);
    for (const [name, phase, says, left] of strikes) {
      const meant = moments.filter(isMeant(faults[name]));
      const place = 1 + meant.findLastIndex((moment) => moment.phase === phase && says.test(moment.says));
      expect(await attempt(stage, faults[name], { place }, books), `${name}: ${says}`).toMatchObject({ phase, left });
    }
  }
});

test('the table in test/README.md has a row for every fault as it is, of which commit it was made, and all held', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const table = readme.slice(readme.indexOf('<!-- npm run faults -->'), readme.indexOf('<!-- end of the faults -->'));
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()));
  expect(cells.map(([, name, what]) => [name, what])).toEqual(
    Object.entries(faults).map(([name, { what }]) => [`\`${name}\``, what]),
  );
  for (const row of cells) {
    expect(row[3]).toMatch(/^\d+ of \d+: /);
    expect(row[6]).toMatch(/^clean \d+$/);
    expect(row[7]).toMatch(/^\d{4}-\d\d-\d\d [0-9a-f]{7,}(, \d{4}-\d\d-\d\d [0-9a-f]{7,})*$/);
  }
});
