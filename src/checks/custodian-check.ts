import type { Config } from '../config.ts';
import type { CustodianReading, CustodianWorld, Holding, Progress } from '../custodians/custodian.ts';
import { query } from '../database.ts';
import { Incomplete } from '../incomplete.ts';
import { money, sum, toText, type Money } from '../money.ts';
import { bind, compose, type Relation, type Statement } from '../source.ts';
import type { Check, Comparison, Cut } from './check.ts';
import { toFinding, type FindingRow } from './findings.ts';
import type { CheckName } from './names.ts';

const relations: readonly Relation[] = ['custody_positions', 'custody_accounts'];
const statement = (file: string): Statement => ({ relations, layers: [], file });
const statements = { totals: statement('custody.totals.sql'), owners: statement('custody.owners.sql') };

/** A check that holds what the books say a custodian holds against what the custodian says, with a tolerance. */
export function custodianCheck(definition: {
  name: CheckName;
  custodian: 'circle' | 'alpaca';
  summary: string;
  tolerance: (config: Config) => Money;
  read: (config: Config, world: CustodianWorld, progress: Progress) => Promise<CustodianReading>;
  ask: (config: Config, world: CustodianWorld) => Promise<void>;
}): Check {
  const { name, custodian, summary, tolerance, read, ask } = definition;
  return {
    name,
    summary,
    narrowsBy: [],
    kinds: ['balance_mismatch'],
    relations,
    statements,
    params: () => ({ custodian }),
    read,
    ask,
    async compare(cut, reading, found): Promise<Comparison> {
      if (reading === undefined) throw new Error(`${name} was compared without a reading.`);
      const sides = { expected: await readPosition(cut, custodian, reading), tolerance: tolerance(cut.config) };
      const owners = await readOwners(cut);
      if (!agree(sides, reading)) found(toFinding(name, mismatch(custodian, sides, reading), cut.config));
      return compared(sides, reading, owners);
    },
  };
}

interface PositionRow {
  currency: string;
  positions: string;
  expected_value: string | null;
  incomplete: boolean;
}

/** What the books say. A position that does not exist is not zero: then nobody knows what to expect. */
async function readPosition(cut: Cut, custodian: string, reading: CustodianReading): Promise<Money> {
  const rows = await query<PositionRow>(cut.transaction, compose(cut.source, statements.totals), bind(cut.params));
  const [row, ...others] = rows;
  if (row === undefined || row.expected_value === null || row.incomplete)
    throw new Incomplete(
      `The books name no position for ${custodian} (the source's custody_positions): nothing to compare with.`,
    );
  if (others.length > 0 || row.currency !== reading.currency)
    throw new Incomplete(
      `custody_positions gives ${rows.map(({ currency }) => currency).join(' and ')} for ${custodian}, which holds ${reading.currency} only.`,
      78,
    );
  const expected = money(row.expected_value);
  if (!expected.isFinite()) throw new Incomplete(`The position that the books name for ${custodian} is not a number.`);
  return expected;
}

async function readOwners(cut: Cut): Promise<Set<string>> {
  const rows = await query<{ external_id: string }>(
    cut.transaction,
    compose(cut.source, statements.owners),
    bind(cut.params),
  );
  return new Set(rows.map((row) => row.external_id));
}

/** What the books say, and by how much the custodian may differ. */
interface Sides {
  expected: Money;
  tolerance: Money;
}

function agree({ expected, tolerance }: Sides, { total }: CustodianReading): boolean {
  return total.minus(expected).abs().lessThanOrEqualTo(tolerance);
}

function mismatch(
  custodian: string,
  { expected, tolerance }: Sides,
  { currency, total }: CustodianReading,
): FindingRow {
  return {
    kind: 'balance_mismatch',
    subject: `custodian:${custodian}`,
    expected_value: toText(expected),
    actual_value: toText(total),
    stake: null,
    currency,
    affected_user_id: null,
    metadata: { tolerance: toText(tolerance) },
  };
}

function compared({ expected, tolerance }: Sides, reading: CustodianReading, owners: Set<string>): Comparison {
  const { currency, total } = reading;
  const nothing = { awaited: 0, awaitedAmount: '0', inFlight: 0, inFlightAmount: '0' };
  return {
    compared: reading.holdings.length,
    totals: [{ currency, expected: toText(expected), actual: toText(total), ...nothing }],
    truncated: false,
    details: { ...reading.details, ...describeReading(reading, owners), tolerance: toText(tolerance) },
    coverage: 'everything',
    handover: { waiting: [] },
  };
}

/** How many holdings that belong to nobody are listed one by one; the sum counts them all. */
const listedWithoutOwner = 50;

function describeReading(reading: CustodianReading, owners: Set<string>): Record<string, unknown> {
  const unowned = reading.holdings.filter((holding) => !owners.has(holding.externalId) && !holding.amount.isZero());
  const largestFirst = unowned.toSorted((left, right) => right.amount.abs().comparedTo(left.amount.abs()));
  return {
    read_from: reading.startedAt.toISOString(),
    read_until: reading.endedAt.toISOString(),
    without_owner: {
      count: unowned.length,
      amount: toText(sum(unowned.map(({ amount }) => amount))),
      largest: largestFirst.slice(0, listedWithoutOwner).map(describeHolding),
    },
  };
}

function describeHolding({ externalId, amount }: Holding): { external_id: string; amount: string } {
  return { external_id: externalId, amount: toText(amount) };
}
