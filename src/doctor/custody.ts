import { join } from 'node:path';
import type { Config } from '../config.ts';
import { query } from '../database/database.ts';
import { money, toText } from '../money.ts';
import { bind, compose, type Source, type Statement } from '../source.ts';
import { ok, some, warning, type DatabasePatient, type Examination, type Opinion } from './examination.ts';
import { look } from './look.ts';

const ofOwners = (file: string): Statement => ({
  relations: ['custody_positions', 'custody_accounts'],
  layers: [],
  file,
});

const custodyStatements = {
  missing: ofOwners('doctor/owners.missing.sql'),
  several: ofOwners('doctor/owners.several.sql'),
  direction: {
    relations: ['custody_positions', 'ledger_accounts', 'ledger_transactions', 'ledger_entries'],
    layers: [{ name: 'total', file: 'custody.totals.sql' }],
    file: 'doctor/deposits.direction.sql',
  },
} satisfies Record<string, Statement>;

/** That whoever has money at a custodian has an account there, and shares it with nobody. */
export const owners: Examination<DatabasePatient> = {
  topic: 'owners',
  after: 'source',
  async examine(patient) {
    const { config, source } = patient;
    if (!isOn(config, 'circle') && !isOn(config, 'alpaca')) return [];
    const opinions = await look(patient, async ({ transaction, params }) => {
      const ask = async <T extends { custodian: string }>(statement: Statement) => {
        const rows = await query<T>(transaction, compose(source, statement), bind(params));
        return rows.filter(({ custodian }) => isOn(config, custodian));
      };
      return [
        ...(await ask<MissingRow>(custodyStatements.missing)).map((row) => describeMissing(row, source)),
        ...(await ask<SharedRow>(custodyStatements.several)).map(describeShared),
      ];
    });
    return opinions.length > 0 ? opinions : [ok('Every user with money at a custodian has an account there, alone.')];
  },
};

/** A custodian whose check is left out is nobody's concern. */
function isOn({ checks }: Config, custodian: string): boolean {
  return checks.some((name) => name === `${custodian}_balance`);
}

interface MissingRow {
  custodian: string;
  users: number;
  amount: string;
  largest: string[];
}

function describeMissing({ custodian, users, amount, largest }: MissingRow, { folder }: Source): Opinion {
  return warning(
    `Users with money at ${custodian} by the books, but without an account there: ${users}, together ${toText(money(amount))} (${some(largest, { all: users })}).`,
    `Look whether these users lost their account, or ${join(folder, 'custody_accounts.sql')} does not find it.`,
  );
}

interface SharedRow {
  custodian: string;
  accounts: number;
  first: string[];
}

function describeShared({ custodian, accounts, first }: SharedRow): Opinion {
  return warning(
    `Accounts at ${custodian} that belong to more than one user: ${accounts} (${some(first, { all: accounts })}).`,
    'Find out whose they are: one account can only be held for one user.',
  );
}

/** That a deposit moves the books’ position and Circle’s total the same way (README, "The two custodian formulas"). */
export const direction: Examination<DatabasePatient> = {
  topic: 'direction',
  after: 'source',
  async examine(patient) {
    if (!isOn(patient.config, 'circle')) return [];
    const [row] = await look(patient, ({ transaction, source, params }) =>
      query<DirectionRow>(
        transaction,
        compose(source, custodyStatements.direction),
        bind({ ...params, custodian: 'circle' }),
      ),
    );
    if (row === undefined) throw new Error('The database did not say which way deposits go.');
    return [describeDirection(row, patient.source)];
  },
};

interface DirectionRow {
  /** null: the position is not the sum of one type. */
  account_type: string | null;
  deposits: number;
  /** What they added to the position, in its own sign. */
  moved: string;
}

function describeDirection({ account_type: type, deposits, moved }: DirectionRow, source: Source): Opinion {
  if (deposits === 0)
    return ok('No deposit is booked yet: which way one moves the position is told once there is one.');
  if (type === null)
    return warning(
      'Which way a deposit moves the position at Circle cannot be told: it is not the sum of one type of account.',
      howToTurn(source),
    );
  if (money(moved).greaterThan(0)) return ok(`Deposits raise what the books say that Circle holds (${type}).`);
  return warning(
    `Deposits (the last ${deposits}) ${money(moved).isZero() ? 'do not move' : 'lower'} what the books say that Circle holds (${type}), though Circle’s own total rises by them.`,
    howToTurn(source),
  );
}

function howToTurn({ folder }: Source): string {
  return `If Circle holds what customers deposited, the position is the sum of their balances: say so in a copy of ${folder} (custody_positions.sql and custody_movements.sql), and name it in RECONCILIATION_SOURCE. README, "The two custodian formulas", has the whole story.`;
}
