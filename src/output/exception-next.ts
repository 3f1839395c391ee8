import { flowed } from '../flowed.ts';
import { outlookOf } from '../corrections/outlook.ts';
import type { Config } from '../config.ts';
import { holderOf, type StoredException } from '../exceptions/exception.ts';
import { isLookedAt, stateAt } from '../exceptions/state.ts';
import type { Story } from '../exceptions/story.ts';
import { kindOf } from '../kinds.ts';
import { signed } from '../placeholders.ts';
import { decisionsOn } from './corrections.ts';
import { excerpt, localTime, shortId, type Screen } from './screen.ts';

/** What to do about an exception, and the commands for it. `checks`: those that are on. */
export function nextLines(story: Story, checks: Config['checks'], now: Date, screen: Screen): string {
  const { exception } = story;
  const id = shortId(exception.id);
  const isOver = exception.resolved_at !== null;
  return [
    ...(isOver ? afterwards(story, screen) : remedyLines(story, screen)),
    screen.command(`recon exceptions show ${id} --sql | psql "$DATABASE_URL"`),
    ...(isOver ? [] : [...actionLines(exception, now, screen), ...endLines(exception, checks, screen)]),
    '',
  ].join('\n');
}

/** Nobody takes up what somebody has, nor agrees twice. */
function actionLines(exception: StoredException, now: Date, screen: Screen): string[] {
  const id = shortId(exception.id ?? '');
  const isOpen = stateAt(exception, now) === 'open';
  return [
    ...(holderOf(exception) === null ? [`acknowledge ${id}`] : []),
    ...(isOpen ? [`accept ${id} --until 7d`] : [`reopen ${id}`]),
  ].map((action) => screen.command(`recon exceptions ${action} ${signed}`));
}

/** How it ends: what is still wrong is not over because somebody says so, and what no run looks at ends by hand alone. */
function endLines(exception: StoredException, checks: Config['checks'], screen: Screen): string[] {
  const { id, check_type: check } = exception;
  return isLookedAt(exception, checks)
    ? [
        said('Once it is mended, the next run closes it; to look at once:', screen),
        screen.command(`recon run --check ${check}`),
      ]
    : [
        said('No run looks at it here: its check is off, or it is older than recon. Once it is mended:', screen),
        screen.command(`recon exceptions resolve ${shortId(id ?? '')} ${signed}`),
      ];
}

function remedyLines(story: Story, screen: Screen): string[] {
  const { exception, undoing } = story;
  // nobody need look for who reversed it, and why stands there
  if (undoing !== null && exception.kind === 'reversed_for_settled')
    return [said(`${excerpt(undoing.proposed_by, 80)} ${undoneSentence}`, screen)];
  if (story.causes.some(({ cause }) => cause === 'named_already')) return [said(namedSentence, screen)];
  const remedy = kindOf(exception.kind)?.remedy;
  return remedy === undefined ? [] : [said(remedy, screen), ...correctionLines(story, screen)];
}

const undoneSentence =
  'undid what recon had posted, and recon does not post it again: post it by hand, or mark the record failed.';

const namedSentence =
  'Look at the transaction that names it; reverse that one, and only then post the record. recon posts nothing while it stands.';

/** Of one that is resolved: what took its place cannot stand beside it. */
function afterwards(story: Story, screen: Screen): string[] {
  const { exception } = story;
  const id = shortId(exception.id);
  const [why, command] = afterEnd(story);
  return [
    said(why, screen),
    screen.command(command),
    ...(exception.correction_action === null ? [] : [screen.command(`recon corrections list --exception ${id}`)]),
  ];
}

function afterEnd({ exception, successor, undone }: Story): [why: string, command: string] {
  const reopen = `recon exceptions reopen ${shortId(exception.id)} ${signed}`;
  if (successor !== null) return ['It goes on as another one.', `recon exceptions show ${shortId(successor.id)}`];
  if (undone === null)
    return [
      'It is over. If it should not be, reopen it; a daily run that finds it again tells it as a new one.',
      reopen,
    ];
  const said = `Its correction was undone, ${localTime(undone.at)}`;
  return undone.is_seen
    ? [
        `${said}. What a run has found since then is told as a new one; if this one should not be over, reopen it.`,
        reopen,
      ]
    : [`${said}: it is likely back. The next run tells, as a new one.`, 'recon run'];
}

/** What recon itself can do: what is proposed already waits for somebody else. */
function correctionLines({ exception, proposal, refusal }: Story, screen: Screen): string[] {
  if (proposal !== null) {
    const { id, proposed_by: by } = proposal;
    const sentence = `${excerpt(by, 80)} proposed a correction: somebody else has to approve it, or rejects it.`;
    return [said(sentence, screen), ...decisionsOn(id).map(screen.command)];
  }
  const { by, sentence } = outlookOf(exception);
  const command = screen.command(`recon corrections propose ${shortId(exception.id)} --dry-run`);
  if (by === 'nobody') return [said(sentence, screen)];
  if (refusal !== null) return [said(`${sentence} Not as it stands: ${excerpt(refusal, 1_000)}`, screen)];
  return [said(sentence, screen), command];
}

function said(sentence: string, { columns }: Screen): string {
  return flowed('', sentence, columns).trimEnd();
}
