import type { Accountless } from '../checks/custody-users.ts';
import type { StoredException } from '../exceptions/exception.ts';
import { plain } from '../plain.ts';
import { count, inThousands } from '../count.ts';
import { currencyText, cut, localTime } from './screen.ts';

/** What the metadata of a balance mismatch holds under these names is told in lines of its own. */
export const custodyFields = ['in_flight', 'unexplained', 'users', 'cut'] as const;

interface InFlight {
  count: number;
  explains: string;
  items: { of: string; id: string; external_id?: string; state: string; amount: string | null; explains: string }[];
}

interface Users {
  known: boolean;
  disagree?: number;
  largest?: { user_id: string; expected: string; actual: string; difference: string; external_ids: string[] }[];
}

interface Cut {
  bracketed: boolean;
  read_from: string;
  books_at: string;
  skew_ms: number;
  rounds: number;
  moved: number;
}

interface Custody {
  in_flight: InFlight;
  unexplained: string;
  users?: Users;
  cut: Cut;
}

/** Which items explain which part of a mismatch with a custodian, what remains, and whose it is; else nothing. */
export function custodyFacts({ kind, metadata, currency: unit }: StoredException): [name: string, value: string][] {
  if (kind !== 'balance_mismatch' || typeof metadata['in_flight'] !== 'object') return [];
  const currency = plain(unit ?? '');
  const { in_flight: inFlight, unexplained, users, cut } = metadata as unknown as Custody;
  const items = [
    ...inFlight.items.map((item) => itemText(item, currency)),
    ...moreOf(inFlight.count, inFlight.items.length),
  ];
  return [
    ['cut', cutText(cut)],
    ['in flight', `${count(inFlight.count, 'item')}, explaining ${plain(inFlight.explains)} ${currency}`],
    ...items.map((text): [string, string] => ['', text]),
    ['unexplained', `${plain(unexplained)} ${currency}`],
    ...userTexts(users, currency).map((text, index): [string, string] => [index === 0 ? 'by user' : '', text]),
  ];
}

function cutText({ bracketed, read_from: from, books_at: booksAt, skew_ms: skew, rounds, moved }: Cut): string {
  const word = bracketed ? 'bracketed' : 'not bracketed';
  const times = `read from ${localTime(from)}, books of ${localTime(booksAt)}, ${skew} ms apart`;
  return `${word}: ${times}; ${moved} moved meanwhile, read again ${count(rounds, 'time')}`;
}

function itemText({ of, id, external_id: holding, state, amount, explains }: InFlight['items'][0], currency: string) {
  const where = holding === undefined ? '' : ` at ${plain(holding)}`;
  const worth = amount === null ? 'of an amount that is not told' : `${plain(amount)} ${currency}`;
  return `${plain(of)} ${plain(id)} ${plain(state)}${where}: ${worth}, explains ${plain(explains)} ${currency}`;
}

function userTexts({ disagree = 0, largest = [] }: Users = { known: false }, currency: string): string[] {
  const lines = largest.map(
    (user) =>
      `${plain(user.user_id)}: expected ${plain(user.expected)}, actual ${plain(user.actual)}, difference ${plain(user.difference)} ${currency}`,
  );
  return [...lines, ...moreOf(disagree, largest.length)];
}

function moreOf(all: number, listed: number): string[] {
  return all > listed ? [`… and ${all - listed} more: -o json`] : [];
}

/** Whose money a custodian's check counts in the books without an account that would hold it; of other checks nothing. */
export function accountlessLine(check: string, accountless: Accountless | null | undefined): string[] {
  if (!accountless || accountless.count === 0) return [];
  const { count: users, amount, currency, largest } = accountless;
  const first = largest.slice(0, 3).map(({ user_id: id }) => cut(id));
  const named = [...first, ...(users > first.length ? ['…'] : [])].join(', ');
  return [
    `${plain(check)}: users with money there by the books, but no account of their own: ${inThousands(users)}, together ${cut(amount)} ${currencyText(currency)} (${named}); recon doctor says what to do`,
  ];
}
