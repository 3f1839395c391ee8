import { Command } from 'commander';
import {
  actions,
  actionsOfHolder,
  takesOver,
  whyNoName,
  whyNoNote,
  whyTooLong,
  type Action,
  type ActionName,
  type Order,
  type Signature,
} from '../exceptions/actions.ts';
import type { Target } from '../exceptions/change.ts';
import { OperatorError } from '../operator-error.ts';
import { placeholders } from '../placeholders.ts';
import type { World } from '../world.ts';
import { carryOut, review, type ReviewFlags } from './exceptions-review.ts';
import { addFilter, filterOf, hasFilter, type FilterFlags } from './exception-filter.ts';
import { byOption, deadline, gather, idPrefix, outputOption, yesOption, type CommandContext } from './options.ts';
import { tell } from './print.ts';
import { inReading, withStore, type Reading, type Store } from './store.ts';

interface ChangeFlags extends FilterFlags, ReviewFlags {
  by?: string;
  note?: string;
  to?: string;
  until?: string;
}

/** `recon exceptions acknowledge`, `assign` and the others: what a person does with exceptions. */
export function changeCommand(context: CommandContext, name: ActionName): Command {
  const action: Action = actions[name];
  const command = new Command(name)
    .description(action.meaning)
    .argument('[id...]', 'their ids, or the first characters of them', (id: string, others?: string[]) =>
      gather(idPrefix(id), others),
    );
  // not required by commander, which would name the first one that is missing and no other
  if (action.takes === 'until') command.option('--until <time>', 'until when (7d, 2026-11-01, RFC 3339); needed');
  if (action.takes === 'assignee') command.option('--to <name>', 'whose it shall be; needed');
  if (action.note === 'required') command.option('--note <text>', 'why, kept for the auditor; needed');
  else command.option('--note <text>', 'a word for the log');
  addSignature(command).addHelpText('after', helpOf(name, action));
  return addFilter(command.optionsGroup('Which ones, instead of ids:')).action(
    async (ids: string[] = [], _flags, me: Command) => {
      const { world } = context;
      const flags = me.optsWithGlobals<ChangeFlags>();
      assertComplete(name, ids, flags, world);
      await withStore(world, (store) => change(store, name, ids, flags, world));
    },
  );
}

/** Who does it, and whether anybody is asked first. */
export function addSignature(command: Command): Command {
  return command
    .addOption(byOption())
    .addOption(yesOption())
    .addOption(outputOption('table', 'json', 'csv'));
}

function helpOf(name: ActionName, { takes, note }: Action): string {
  const how = [
    takes === 'until' ? ' --until 7d' : takes === 'assignee' ? ' --to Grace' : '',
    note === 'required' ? ' --note "ticket 812"' : '',
  ].join('');
  const which = name === 'reopen' ? '--status resolved --kind stuck' : '--kind stuck';
  const [unless, first] = actionsOfHolder.includes(name)
    ? [', unless somebody else has it', 'That one, and several,']
    : ['', 'Several'];
  return `
One exception that is named by its id is changed at once${unless}. ${first} are shown first: a
person at a terminal is asked, anybody else gives --yes. All of them are changed, or none.

Examples:
  recon exceptions ${name} 3f2a91bc --by Ada${how}
  recon exceptions ${name} ${which}${how}`;
}

/** Throws an OperatorError (64) that names all that is missing, so that nobody is told of one thing after the other. */
function assertComplete(name: ActionName, ids: readonly string[], flags: ChangeFlags, world: World): void {
  const missing = [
    ids.length === 0 && !hasFilter(flags) && 'an id or a filter',
    ...missingOf(actions[name], flags),
    nameFrom(flags, world) === undefined && aName,
  ].filter((part) => part !== false);
  if (missing.length === 0) return; // what would change is shown then, without --yes too
  const asks = ids.length !== 1 && flags.yes !== true && world.stdin.isTTY !== true;
  throw new OperatorError(
    64,
    `${name} needs ${listed(missing)}${asks ? '; also --yes, because nobody can be asked here' : ''}.`,
    `\`recon help exceptions ${name}\` says more.`,
  );
}

function missingOf({ takes, note }: Action, flags: ChangeFlags): (string | false)[] {
  return [
    takes === 'until' && flags.until === undefined && `--until ${placeholders.time}`,
    takes === 'assignee' && flags.to === undefined && `--to ${placeholders.name}`,
    note === 'required' && flags.note === undefined && `--note ${placeholders.note}`,
  ];
}

/** `a`, `a and b`, `a, b and c`. */
function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
}

async function change(
  store: Store,
  action: ActionName,
  ids: readonly string[],
  flags: ChangeFlags,
  world: World,
): Promise<void> {
  const signature = signatureOf(flags, world);
  const order: Omit<Order, 'id'> = {
    action,
    note: noteOf(flags),
    until: deadline('--until', flags.until, signature.at),
    assignee: flags.to === undefined ? null : nameOf('--to', flags.to),
  };
  const why = whyTooLong(order, signature.at);
  if (why !== undefined) throw new OperatorError(64, why);
  const targets = await inReading(store, (reading) => targetsOf(reading, ids, flags, world));
  if (targets.length === 0) return tell(world, 'recon: no exception matches; nothing was changed; exit 0\n');
  const orders = targets.map((target) => ({ ...target, ...order }));
  const isAsked = flags.yes !== true && orders.some(({ holder }) => takesOver(order, holder, signature.by));
  const isShown = ids.length === 0 || targets.length > 1 || isAsked;
  if (isShown) await review(store, orders, signature, { ...flags, word: action }, world);
  // where nothing was shown, nothing can have changed since
  const meant = isShown ? orders : orders.map(({ id, holder }) => ({ id, holder, ...order }));
  await carryOut(store, meant, signature, flags.output, world);
}

/** The exceptions that are meant, by id or by filter, in the state in which they are now. */
async function targetsOf(
  reading: Reading,
  prefixes: readonly string[],
  flags: ChangeFlags,
  world: World,
): Promise<Target[]> {
  if (prefixes.length > 0 && hasFilter(flags))
    throw new OperatorError(
      64,
      'Which exceptions are meant?',
      'Name their ids, or give a filter such as --kind: one of both.',
    );
  const change = await import('../exceptions/change.ts');
  const { anyException } = await import('../exceptions/filter.ts');
  const { findException } = await import('../exceptions/store.ts');
  const { transaction, schema } = reading;
  if (prefixes.length === 0) return change.targetsOf(transaction, schema, await filterOf(reading, flags, world));
  const ids = new Set<string>(); // one that is named twice is changed once
  for (const prefix of prefixes) ids.add((await findException(transaction, schema, prefix)).id);
  return change.targetsOf(transaction, schema, { ...anyException, ids: [...ids] });
}

/** Who acts, from which machine, and when. Throws an OperatorError (64) if nobody is named. */
export function signatureOf(flags: { by?: string }, world: World): Signature {
  const by = nameFrom(flags, world);
  if (by === undefined) throw new OperatorError(64, `This needs ${aName}.`, 'Who does it stays on record.');
  return { by: nameOf('--by', by), host: world.host, at: world.now() };
}

const aName = `--by ${placeholders.name} (or USER)`;

function nameFrom({ by }: { by?: string }, { env }: World): string | undefined {
  return by ?? [env['USER'], env['LOGNAME']].find((name) => (name ?? '').trim() !== '');
}

function nameOf(flag: string, text: string): string {
  const why = whyNoName(text);
  if (why !== undefined) throw new OperatorError(64, `${flag} ${why}.`, `Give a person’s name, such as ${flag} Ada.`);
  return text.trim();
}

/** What somebody says to it; null: nothing. Throws an OperatorError (64) for a note without a word, or with too many. */
export function noteOf({ note }: { note?: string }): string | null {
  if (note === undefined) return null;
  if (note.trim() === '') throw new OperatorError(64, 'The note is empty.', `Give --note ${placeholders.note}: why.`);
  const why = whyNoNote(note.trim());
  if (why !== undefined)
    throw new OperatorError(64, `--note ${why}.`, 'Say why, or where it is kept, such as a ticket.');
  return note.trim();
}
