import type { Config } from '../config.ts';
import { quote } from '../custodians/answers.ts';
import type { Custodian, Look } from '../custodians/custodian.ts';
import { toInterval } from '../duration.ts';
import { Incomplete } from '../incomplete.ts';
import { toText, type Money } from '../money.ts';
import type { AfterCut, Check, Comparison, Cut, Found } from './check.ts';
import { custodyStatements, readBooks } from './custody-books.ts';
import { describeCut, firstView, settleCut, type CustodyView } from './custody-cut.ts';
import { doubtOf, judge, limitsOf, type Judgement } from './custody-judgement.ts';
import {
  describeAccountless,
  describeOwners,
  describeUnlisted,
  describeUsers,
  unlistedIn,
  usersThatDisagree,
} from './custody-users.ts';
import { toFinding, type FindingRow } from './findings.ts';
import { describeInFlight, explainedBy } from './in-flight.ts';
import type { CheckName } from './names.ts';

interface Settings {
  tolerance: Money;
  exclude: ReadonlySet<string>;
}

interface Definition {
  name: CheckName;
  custodian: 'circle' | 'alpaca';
  summary: string;
  settings: (config: Config) => Settings;
  /** Throws `Incomplete` (78) where its keys are not set. */
  open: (config: Config) => Custodian;
}

/**
 * A check that holds what the books say a custodian holds against what the custodian says, with a tolerance. `compare`
 * takes the books of the snapshot of all checks; `settle` brings both sides to one moment and believes a mismatch only
 * when a second reading shows it too.
 */
export function custodianCheck(definition: Definition): Check {
  const { name, custodian, summary, open } = definition;
  return {
    name,
    summary,
    narrowsBy: [],
    kinds: ['balance_mismatch'],
    relations: ['custody_positions', 'custody_accounts', 'custody_movements'],
    statements: custodyStatements,
    params: (config) => ({ custodian, deadline: toInterval(config.withdrawalStuckAfterMs) }),
    async read(config, world, progress) {
      const client = open(config);
      const look = await client.look(world, undefined, []);
      return { ...(await client.sweep(world, progress)), look, custodian: client };
    },
    async compare(cut, reading, found) {
      if (reading === undefined) throw new Error(`${name} was compared without a reading.`);
      const view = firstView(reading, await readBooks(cut, custodian, reading, reading.look), cut.params.as_of);
      return {
        ...conclude(definition, cut.config, { view, doubted: undefined, bracketed: false }, found),
        settle: (after) => settle(definition, cut.config, view, after),
      };
    },
  };
}

async function settle(definition: Definition, config: Config, first: CustodyView, after: AfterCut) {
  const { custodian, settings } = definition;
  const limits = limitsOf(settings(config).tolerance, config);
  const readAgain = (cut: Cut, look: Look) => readBooks(cut, custodian, first.reading, look);
  const settled = await settleCut(first, nameOf(custodian), (view) => doubtOf(view, limits), readAgain, after);
  refuseUnlisted(definition, config, settled.view);
  return conclude(definition, config, { ...settled, bracketed: true }, after.found);
}

function nameOf(custodian: Definition['custodian']): 'Circle' | 'Alpaca' {
  return custodian === 'circle' ? 'Circle' : 'Alpaca';
}

/**
 * The custodian holds less than it should, and does not list all that the books know to be there: then its listing may
 * have been cut, and a smaller sum proves nothing.
 */
function refuseUnlisted({ custodian, settings }: Definition, config: Config, view: CustodyView): void {
  const { exclude, tolerance } = settings(config);
  const { agrees, unexplained } = judge(view, limitsOf(tolerance, config));
  if (agrees || unexplained.isPositive()) return;
  const unlisted = unlistedIn(view, exclude);
  if (unlisted.length === 0) return;
  const some = unlisted.slice(0, 5).map((id) => quote(id));
  const more = unlisted.length > 5 ? ` and ${unlisted.length - 5} more` : '';
  const variable = `RECONCILIATION_${custodian.toUpperCase()}_EXCLUDE`;
  throw new Incomplete(
    `${nameOf(custodian)} holds less than the books say and does not list ${some.join(', ')}${more}, which the books know: the listing may not be whole. Name them in ${variable} if they are gone.`,
    3,
    { details: { cut: describeCut(view, true), unexplained: toText(unexplained) } },
  );
}

interface Conclusion {
  view: CustodyView;
  doubted: CustodyView | undefined;
  bracketed: boolean;
}

function conclude(
  { name, custodian, settings }: Definition,
  config: Config,
  { view, doubted, bracketed }: Conclusion,
  found: Found,
): Comparison {
  const { tolerance, exclude } = settings(config);
  const limits = limitsOf(tolerance, config);
  const judgement = judge(view, limits);
  const custody = {
    tolerance: toText(tolerance),
    unexplained: toText(judgement.unexplained),
    in_flight: describeInFlight(judgement.inFlight),
    cut: describeCut(view, bracketed),
    ...(doubted && { first_difference: toText(judge(doubted, limits).difference) }),
    ...(!judgement.agrees && { users: describeUsers(usersThatDisagree(view), view) }),
  };
  if (!judgement.agrees) found(toFinding(name, mismatch(custodian, view, judgement, custody), config));
  return {
    compared: view.holdings.size,
    totals: [totalsOf(view, judgement)],
    truncated: false,
    details: {
      ...view.reading.details,
      ...custody,
      without_owner: describeOwners(view),
      without_account: describeAccountless(view),
      not_listed: describeUnlisted(unlistedIn(view, exclude)),
    },
    coverage: 'everything',
    handover: { waiting: [] },
  };
}

function totalsOf({ books, reading }: CustodyView, { total, inFlight }: Judgement): Comparison['totals'][0] {
  const awaited = inFlight.filter((item) => item.awaited);
  const underWay = inFlight.filter((item) => !item.awaited);
  return {
    currency: reading.currency,
    expected: toText(books.expected),
    actual: toText(total),
    awaited: awaited.length,
    awaitedAmount: toText(explainedBy(awaited)),
    inFlight: underWay.length,
    inFlightAmount: toText(explainedBy(underWay)),
  };
}

function mismatch(
  custodian: string,
  { books, reading }: CustodyView,
  { total }: Judgement,
  metadata: Record<string, unknown>,
): FindingRow {
  return {
    kind: 'balance_mismatch',
    subject: `custodian:${custodian}`,
    expected_value: toText(books.expected),
    actual_value: toText(total),
    stake: null,
    currency: reading.currency,
    affected_user_id: null,
    metadata,
  };
}
