import { inThousands } from '../count.ts';
import { isPlaceholder } from '../placeholders.ts';

/** What a person can do with exceptions: the one table that commands, worklists and the log follow. */
export interface Action {
  /** Its word in the log. */
  readonly event: string;
  /** What else must be said: until when, or whose it shall be. */
  readonly takes?: 'until' | 'assignee';
  /** Whether it must say why. */
  readonly note: 'required' | 'optional';
  readonly meaning: string;
}

export const actions = {
  acknowledge: { event: 'acknowledged', note: 'optional', meaning: 'say that you look into it' },
  assign: { event: 'assigned', takes: 'assignee', note: 'optional', meaning: 'say whose it is' },
  comment: { event: 'commented', note: 'required', meaning: 'add a note to the log' },
  snooze: {
    event: 'snoozed',
    takes: 'until',
    note: 'optional',
    meaning: 'put aside until a time, or until its severity rises; it still counts for the verdict',
  },
  accept: {
    event: 'accepted',
    takes: 'until',
    note: 'required',
    meaning: 'known and agreed until a time, or until its amount changes; it does not count for the verdict',
  },
  resolve: { event: 'resolved', note: 'required', meaning: 'close by hand; found again, it comes back as a new one' },
  reopen: { event: 'reopened', note: 'required', meaning: 'take back a resolution, a snooze or an acceptance' },
} as const satisfies Record<string, Action>;

export type ActionName = keyof typeof actions;
export const actionNames = Object.keys(actions) as ActionName[];

/** The actor of what a run does: nobody else may look like it in the log of an exception. */
const systemName = 'system';

const nameMax = 200;
const noteMax = 10_000;

/** Why that is no note; undefined if it is one. */
export function whyNoNote(note: string): string | undefined {
  if (isPlaceholder(note)) return `is only the placeholder ${note.trim()}`;
  return note.length > noteMax ? `has more than ${inThousands(noteMax)} characters` : undefined;
}

/** Why that is no name of a person; undefined if it is one. */
export function whyNoName(name: string): string | undefined {
  if (isSamePerson(name, '')) return 'is empty';
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name.trim())) return 'holds control characters';
  if (name.length > nameMax) return `has more than ${nameMax} characters`;
  if (isPlaceholder(name)) return `is only the placeholder ${name.trim()}`;
  if (isSamePerson(name, systemName)) return `cannot be ${systemName}, which is what recon itself signs with`;
  return undefined;
}

/** Whether two names are one person’s: neither case, width nor what nobody can see makes another one of somebody. */
export function isSamePerson(one: string, other: string): boolean {
  return seen(one) === seen(other);
}

function seen(name: string): string {
  const visible = name.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  return visible
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .toLowerCase()
    .normalize('NFKC');
}

/** What nobody does with another’s exception without being asked. */
export const actionsOfHolder: readonly ActionName[] = ['acknowledge', 'assign', 'resolve'];

/** Whether an order takes an exception away from its holder, or ends it, without being the holder’s own. */
export function takesOver({ action, assignee }: Omit<Order, 'id'>, holder: string | null, by: string): boolean {
  if (!actionsOfHolder.includes(action)) return false;
  return holder !== null && !isSamePerson(by, holder) && !isSamePerson(assignee ?? '', holder);
}

const year = 366 * 86_400_000;

/** Why an acceptance cannot last so long, whoever agrees to it: what is accepted for ever nobody looks at again. */
export function whyTooLong({ action, until }: Pick<Order, 'action' | 'until'>, at: Date): string | undefined {
  if (action !== 'accept' || until === null || Date.parse(until) - at.getTime() <= year) return undefined;
  return `accept is for a year at most, not until ${until.slice(0, 10)}.`;
}

/** What is to be done with one exception. */
export interface Order {
  /** The whole id. */
  id: string;
  action: ActionName;
  note: string | null;
  /** Of `snooze` and `accept`: RFC 3339. */
  until: string | null;
  /** Of `assign`. */
  assignee: string | null;
  /** The row as it was shown (`Target`); without one the order holds in whatever state it is. */
  version?: string;
  /** Of the file that it stands in. */
  line?: number;
}

/** Who orders it, from which machine, and when. */
export interface Signature {
  by: string;
  host: string;
  at: Date;
}
