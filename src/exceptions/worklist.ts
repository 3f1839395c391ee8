import { parse, type CsvError } from 'csv-parse/sync';
import { restore } from '../formula.ts';
import { parseMoment } from '../moment.ts';
import { OperatorError } from '../operator-error.ts';
import { plain } from '../plain.ts';
import { whichOf } from '../suggestion.ts';
import { isUuid } from '../uuid.ts';
import {
  actionNames,
  actions,
  whyNoName,
  whyNoNote,
  whyTooLong,
  type Action,
  type ActionName,
  type Order,
} from './actions.ts';
import { isVersion, versionOf, type StoredException } from './exception.ts';

/** A list of exceptions as CSV that came back, with what is to be done with them. */
export interface Worklist {
  orders: WorklistOrder[];
  /** Rows in which no action was entered. */
  idle: number;
}

export interface WorklistOrder extends Order {
  line: number;
  /** Of the amounts that the person saw (`versionOf`), where the action closes it. */
  seen: string;
}

/** More than these are not read by anybody. */
const problemsShown = 10;

/**
 * Reads a worklist. Throws an OperatorError (64) with the line of everything that is wrong with it.
 * @param content UTF-8 with a header line; separated by commas, semicolons or tabs, whichever the header has most of
 */
export function readWorklist(content: Uint8Array, now: Date): Worklist {
  const problems: string[] = [];
  const rows = recordsOf(decoded(content));
  const active = rows.filter(({ cells }) => (cells['action'] ?? '').trim() !== '');
  const orders = active.flatMap((row) => toOrder(row, now, problems));
  problems.push(...twins(orders));
  throwIfAny(problems, 64);
  return { orders, idle: rows.length - active.length };
}

function throwIfAny(
  problems: readonly string[],
  exitCode: 2 | 64,
  hint = 'Correct the file and apply it again; nothing was changed.',
): void {
  if (problems.length === 0) return;
  const more = problems.length - problemsShown;
  const shown = problems.slice(0, problemsShown).map((problem) => plain(problem.slice(0, 200))); // of a file from anywhere
  const lines = [...shown, ...(more > 0 ? [`… and ${more} more`] : [])];
  throw new OperatorError(exitCode, lines.join('\n'), hint);
}

interface Row {
  line: number;
  cells: Readonly<Record<string, string>>;
}

function decoded(content: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch (error) {
    throw notOurs('it is not UTF-8', error);
  }
  // what parses as CSV all the same, without our columns
  if (text.includes('\0')) throw notOurs('it has zero bytes, as UTF-16 has');
  if (/^\s*</.test(text)) throw notOurs('it begins with <, as a page of the web or XML does');
  return text;
}

function notOurs(why: string, cause?: unknown): OperatorError {
  return new OperatorError(
    64,
    `The file is no UTF-8 CSV as \`recon exceptions list -o csv\` prints it: ${why}.`,
    'In a spreadsheet, save it as CSV UTF-8.',
    { cause },
  );
}

function recordsOf(text: string): Row[] {
  const [header = ''] = text.split('\n', 1);
  const delimiter = [',', ';', '\t'].toSorted((left, right) => timesIn(header, right) - timesIn(header, left))[0];
  const { columns, rows } = parsed(text, delimiter ?? ',');
  for (const needed of ['id', 'action'])
    if (!columns.includes(needed))
      throw new OperatorError(
        64,
        `The file has no column ${needed}.`,
        'Begin with what `recon exceptions list -o csv` prints, and keep its header line.',
      );
  return rows;
}

function timesIn(header: string, delimiter: string): number {
  return header.split(delimiter).length - 1;
}

function parsed(text: string, delimiter: string): { columns: readonly string[]; rows: Row[] } {
  let columns: readonly string[] = [];
  try {
    const records = parse<{ record: Record<string, string>; info: { lines: number } }>(text, {
      columns: (header: string[]) => (columns = header),
      delimiter,
      info: true,
      relax_column_count_less: true, // spreadsheets leave out what is empty at the end
      skip_empty_lines: true,
    });
    return { columns, rows: records.map(({ record, info }) => ({ line: info.lines, cells: record })) };
  } catch (error) {
    throw notOurs(plain((error as CsvError).message.slice(0, 200)), error);
  }
}

/** None where the action is unknown: what it would need nobody can tell. */
function toOrder({ line, cells }: Row, now: Date, problems: string[]): WorklistOrder[] {
  const cell = (name: string) => restore((cells[name] ?? '').trim());
  const problem = (text: string) => problems.push(`Line ${line}: ${text}`);
  const action = actionNamed(cell('action').toLowerCase(), problem);
  if (action === undefined) return [];
  const { takes }: Action = actions[action];
  const order = {
    line,
    id: cell('id').toLowerCase(),
    action,
    note: cell('note') || null,
    until: takes === 'until' ? (parseMoment(cell('until'), now, 'ahead') ?? null) : null,
    assignee: takes === 'assignee' ? cell('assignee') : null,
    seen: cell('version'),
  };
  for (const text of wrongWith(order, cell('until'), now)) problem(text);
  return [order];
}

function wrongWith({ id, action, note, until, assignee, seen }: WorklistOrder, untilCell: string, now: Date): string[] {
  const { takes }: Action = actions[action];
  const tooLong = whyTooLong({ action, until }, now);
  const isToCome = Date.parse(until ?? '') > now.getTime();
  return [
    !isUuid(id) && `"${id}" is not the id of an exception.`,
    wrongWithNote(action, note),
    assignee !== null && whyNotTo(assignee),
    tooLong !== undefined && tooLong,
    isClosing(action) &&
      !isVersion(seen) &&
      `${action} needs the column version as it was exported (at which amounts), not "${seen}".`,
    takes === 'until' &&
      !isToCome &&
      `"${untilCell}" is not a time to come: until takes 2h, 7d, YYYY-MM-DD (UTC) or RFC 3339.`,
  ].filter((text) => text !== false);
}

function wrongWithNote(action: ActionName, note: string | null): string | false {
  if (note === null) return actions[action].note === 'required' && `${action} needs a note: why.`;
  const why = whyNoNote(note);
  return why !== undefined && `the note ${why}.`;
}

function whyNotTo(assignee: string): string | false {
  const why = whyNoName(assignee);
  return why !== undefined && `assign needs the name of a person in the column assignee, which ${why}.`;
}

function actionNamed(text: string, problem: (text: string) => void): ActionName | undefined {
  const known = actionNames.find((name) => name === text);
  if (known !== undefined) return known;
  problem(`"${text}" is no action. ${whichOf(text, actionNames)}`);
  return undefined;
}

function twins(orders: readonly WorklistOrder[]): string[] {
  const lines = new Map<string, number>();
  return orders.flatMap(({ id, line }) => {
    const earlier = lines.get(id);
    lines.set(id, line);
    return earlier === undefined ? [] : [`Line ${line}: ${id} stands on line ${earlier} already.`];
  });
}

/**
 * Throws an OperatorError (2) for every order that would close an exception at other amounts than the person saw.
 * @param current the exceptions as they are now
 */
export async function assertSeen(
  orders: readonly WorklistOrder[],
  current: AsyncIterable<StoredException>,
): Promise<void> {
  const closing = new Map(orders.filter(({ action }) => isClosing(action)).map((order) => [order.id, order]));
  const problems: string[] = [];
  for await (const exception of current) {
    const order = closing.get(exception.id ?? '');
    if (order !== undefined && order.seen !== versionOf(exception))
      problems.push(`Line ${order.line}: the amounts of ${order.id} are others by now.`);
  }
  throwIfAny(problems, 2, 'Export the list again and look at them; nothing was changed.');
}

function isClosing(action: ActionName): boolean {
  return action === 'accept' || action === 'resolve';
}
