import type { CheckName } from '../../src/checks/names.ts';
import { money, sum, toText, type Money } from '../../src/money.ts';
import { alpacaFaults } from '../support/alpaca-faults.ts';
import { circleFaults } from '../support/circle-faults.ts';
import { idFrom, type SandboxTransaction } from '../support/circle-sandbox.ts';
import type { Custodians } from '../support/custodians.ts';
import type { User } from '../support/ledger.ts';
import { line } from '../oracle/verdict.ts';
import { troubles, type CommonStep, type CustodianName, type Trouble } from './story.ts';

/** So long may a payment be under way before nobody believes in it any more. */
const stuckAfterMs = 72 * 3_600_000;

/** What a custodian may be off before it is a mismatch. */
const tolerances = { circle: '10', alpaca: '100' };

const currencies = { circle: 'USDC', alpaca: 'USD' };

const names = ['circle', 'alpaca'] as const;

/** What each custodian holds by the books. */
export type Positions = Record<CustodianName, Money>;

type CustodyStep = Extract<CommonStep, { does: 'lose' | 'send' | 'arrive' | 'trouble' }>;

/** Circle and Alpaca: each holds what the books say, but for what a story takes away, adds, or has under way there. */
export class Custody {
  readonly #custodians: Custodians;
  readonly #lost = { circle: money('0'), alpaca: money('0') };
  /** Arrived at Circle, and not in the books yet. */
  readonly #underWay: SandboxTransaction[] = [];
  #troubles: Trouble[] = [];

  constructor(custodians: Custodians, users: readonly User[]) {
    this.#custodians = custodians;
    const { circle, alpaca } = custodians;
    for (const id of [treasury, ...users.map(({ walletId }) => walletId)])
      circle.add({ id, blockchain: 'BASE-SEPOLIA', usdc: '0' });
    alpaca.add({ id: treasury });
  }

  /** Returns whether it changed anything. */
  take(step: CustodyStep): boolean {
    const { circle } = this.#custodians;
    if (step.does === 'lose') this.#lost[step.at] = money(step.amount);
    if (step.does === 'send') this.#underWay.push(circle.move(treasury, step.amount, 'CONFIRMED'));
    if (step.does === 'trouble') this.#trouble(step.trouble);
    const arrived = step.does === 'arrive' ? this.#underWay.shift() : undefined;
    if (arrived !== undefined) circle.book(arrived);
    return step.does !== 'arrive' || arrived !== undefined;
  }

  /** Of what passes, one at a time at each: two, one after the other, are more than a run tries to get over. */
  #trouble(trouble: Trouble): void {
    const isReplaced = (one: Trouble) => one.at === trouble.at && isPassing(one) && isPassing(trouble);
    this.#troubles = [...this.#troubles.filter((one) => !isReplaced(one)), trouble];
  }

  /** A run begins: the custodians have kept up with the books, and what goes wrong there goes wrong now. */
  open(positions: Positions): void {
    const { circle, alpaca } = this.#custodians;
    const held = (at: CustodianName) => toText(positions[at].plus(this.#aheadOf(at)));
    circle.wallets.get(treasury)!.balances[0]!.amount = held('circle');
    Object.assign(alpaca.accounts.get(treasury)!, { cash: held('alpaca'), buying_power: held('alpaca') });
    // of two faults of a sandbox that meet at a request only the first is answered: what lasts decides
    for (const { at, what } of this.#troubles.toSorted(
      (left, right) => Number(isPassing(left)) - Number(isPassing(right)),
    ))
      if (at === 'circle') circleFaults[what](circle);
      else alpacaFaults[what](alpaca);
  }

  /** The run is over, and so is the trouble. */
  close(): void {
    this.#troubles = [];
    for (const { faults } of [this.#custodians.circle, this.#custodians.alpaca]) faults.length = 0;
  }

  get troubles(): readonly Trouble[] {
    return this.#troubles;
  }

  /** The checks that cannot tell in a run that begins now. */
  get unknown(): CheckName[] {
    return this.#troubles.filter((trouble) => !isPassing(trouble)).map(({ at }) => checkOf(at));
  }

  /** Whatever a run at that moment has to report, by check and subject, in the words of the oracle. */
  truth(positions: Positions, now: Date): Map<string, Set<string>> {
    return new Map(
      names
        .filter((at) => this.#unexplained(at, now).abs().greaterThan(tolerances[at]))
        .map((at) => [`${checkOf(at)} custodian:${at}`, new Set([this.#tell(at, positions[at])])]),
    );
  }

  /** What the custodian holds beyond the books. */
  #aheadOf(at: CustodianName): Money {
    return at === 'alpaca' ? this.#lost.alpaca : this.#lost.circle.plus(sum(this.#underWay.map(amountOf)));
  }

  /** Of that, what no payment explains that may still be under way. */
  #unexplained(at: CustodianName, now: Date): Money {
    const stuck = this.#underWay.filter(({ createDate }) => Date.parse(createDate) < now.getTime() - stuckAfterMs);
    return at === 'alpaca' ? this.#lost.alpaca : this.#lost.circle.plus(sum(stuck.map(amountOf)));
  }

  #tell(at: CustodianName, position: Money): string {
    const ahead = this.#aheadOf(at);
    const [expected, actual] = [toText(position), toText(position.plus(ahead))];
    const severity = ['critical', 'high', 'medium', 'low'][
      ['1000', '100', '1', '0'].findIndex((limit) => ahead.abs().greaterThan(limit))
    ]!;
    return line({ kind: 'balance_mismatch', expected, actual, currency: currencies[at], user: null }, severity, []);
  }
}

/** All that the firm holds stands there; the wallets of its users are swept. */
const treasury = idFrom('treasury');

function isPassing(trouble: Trouble): boolean {
  const passing: readonly Trouble[] = troubles.passing;
  return passing.includes(trouble);
}

function checkOf(at: CustodianName): CheckName {
  return `${at}_balance`;
}

function amountOf({ amounts: [amount = '0'] }: SandboxTransaction): Money {
  return money(amount);
}
