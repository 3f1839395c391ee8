import type { Answer, Outgoing } from '../exchange.ts';
import type { Message } from './message.ts';
import type { News, ToldException } from './news.ts';
import type { SlackConfig } from './target.ts';
import { plain } from '../plain.ts';
import { cut, cutTo } from '../cut.ts';
import { groupLine, headlineOf, heldBackLine, missedLine, nextSteps } from './wording.ts';

// API-FACTS.md D.1: at most 20 blocks, with fewer than 10,000 characters in all, keep clear of every limit of Slack.
const sectionMax = 900;
const descriptionMax = 240;
const amountsMax = 200;

/** Slack takes one message a second for each webhook, and a few at once. */
export const slackPace = { burst: 3, gapMs: 1_000 };

/** The one message about a run. */
export function slackMessage(news: News): Message {
  const summary = headlineOf(news);
  const { at, report, groups, largest, incomplete, failure, missed } = news;
  const heldBack = (news.heldBack ?? []).map(heldBackLine);
  const told = groups.reduce((all, { count }) => all + count, 0);
  const more = told - largest.length;
  const steps = nextSteps(news);
  const sections = [
    ...(failure === null ? [] : [`The run ended without a result: ${cut(failure, 600)}`]),
    ...(missed.length === 0 ? [] : [missed.map(missedLine).join('\n')]),
    ...(heldBack.length === 0 ? [] : [heldBack.join('\n')]),
    ...(incomplete.length === 0 ? [] : [incompleteLines(news).join('\n')]),
    ...(groups.length === 0 ? [] : [groups.slice(0, 12).map(groupLine).join('\n')]),
  ];
  return {
    summary,
    body: {
      text: escaped(summary, 300),
      blocks: [
        { type: 'header', text: { type: 'plain_text', text: cut(summary, 150) } },
        ...sections.map((text) => section(escaped(text, sectionMax))),
        ...largest.map((exception) => section(exceptionText(exception))),
        ...(more > 0 ? [section(`… and ${more} more`)] : []),
        ...(steps.length > 0 ? [section(`next: ${steps.map((step) => `\`${step}\``).join(' · ')}`)] : []),
        { type: 'context', elements: [{ type: 'mrkdwn', text: report === null ? at : `report ${report.id} · ${at}` }] },
      ],
    },
  };
}

export function slackRequest({ url }: SlackConfig, body: object): Outgoing {
  return { method: 'POST', url, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** Anything else than 200 is a failure. */
export function slackTook({ status }: Answer): boolean {
  return status === 200;
}

/** Why each check could not tell, with as much of the reasons as all of them leave room for. */
function incompleteLines({ incomplete }: News): string[] {
  const most = Math.floor(sectionMax / incomplete.length) - 50;
  return incomplete.map(({ check_type: check, reason }) => `${check} could not tell: ${cut(reason, most)}`);
}

/** `verbatim`: what looks like an address in the text of a database does not become a link. */
function section(text: string) {
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
}

function exceptionText(exception: ToldException): string {
  const { change, severity, check_type: check, id, description, expected, actual, difference, currency } = exception;
  const amounts = [
    expected === null ? '' : `expected ${expected}`,
    actual === null ? '' : `actual ${actual}`,
    difference === null ? '' : `difference ${difference} ${currency ?? ''}`,
  ].filter((part) => part !== '');
  const head = `*${severity}* ${change} · ${check} · \`${id.slice(0, 8)}\``;
  const lines = [head, escaped(plain(description), descriptionMax), escaped(amounts.join(' · '), amountsMax)];
  return lines.filter((line) => line !== '').join('\n');
}

/**
 * These three and no others, in everything that comes from outside: `<!channel>` would call everybody. What is longer
 * than `most` characters then is cut off, never in the middle of one.
 */
function escaped(text: string, most = 150): string {
  return cutTo(most, text, (character) => entities[character] ?? character);
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
