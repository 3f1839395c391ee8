import { flowed } from '../flowed.ts';
import type { Check } from '../checks/check.ts';
import { outlookOfKind } from '../corrections/outlook.ts';
import { kindNamed } from '../kinds.ts';
import type { Screen } from './screen.ts';
import { renderTable } from './table.ts';

/** One finding kind of one check, as JSON and CSV give it. */
export interface CatalogueRow {
  check: string;
  kind: string;
  subject: string;
  expected: string | null;
  actual: string | null;
  floor: string;
  ceiling: string;
  meaning: string;
  remedy: string;
  /** What recon itself can do about it, or why it does not. */
  correction: string;
}

export const catalogueColumns = [
  'check',
  'kind',
  'subject',
  'expected',
  'actual',
  'floor',
  'ceiling',
  'meaning',
  'remedy',
  'correction',
] as const satisfies readonly (keyof CatalogueRow)[];

/** The kinds of the checks, in order of rank. */
export function catalogueOf(checks: readonly Check[]): CatalogueRow[] {
  return checks.flatMap((check) =>
    check.kinds.map((name) => {
      const { of: subject, expected, actual, floor, ceiling, meaning, remedy } = kindNamed(name);
      const { sentence: correction } = outlookOfKind(name, check.name);
      return { check: check.name, kind: name, subject, expected, actual, floor, ceiling, meaning, remedy, correction };
    }),
  );
}

const correctors = { machine: 'a run', people: 'two people', nobody: '-' };

/** Each check with its sentence and its kinds. */
export function catalogueScreen(checks: readonly Check[], screen: Screen): string {
  return checks
    .map((check) => {
      const rows = catalogueOf([check]).map((row) => [
        row.kind,
        row.subject,
        row.floor,
        correctors[outlookOfKind(kindNamed(row.kind).name, check.name).by],
        `${row.subject} ${row.meaning}`,
      ]);
      const table = renderTable(
        [
          { header: 'kind' },
          { header: 'subject' },
          { header: 'at least' },
          { header: 'corrected by' },
          { header: 'meaning', wraps: true },
        ],
        rows,
        screen.columns,
      );
      return `${flowed(`${screen.strong(check.name)}  `, check.summary, screen.columns)}\n${table}`;
    })
    .join('\n');
}
