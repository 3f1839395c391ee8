import type { Finding } from '../checks/check.ts';
import { searchFindings } from '../checks/findings.ts';
import { checks } from '../checks/index.ts';
import type { CheckName } from '../checks/names.ts';
import type { Config } from '../config.ts';
import { query, type Transaction } from '../database/database.ts';
import { money } from '../money.ts';
import { everything, paramsOf } from '../run/cut.ts';
import { bind, compose, type Params, type Relation, type Source } from '../source.ts';
import {
  deedOf,
  entriesDue,
  lockRows,
  planStatement,
  type EntryDue,
  type HostRow,
  type HostTable,
} from './host-tables.ts';
import { Failure } from './refusal.ts';

/** Whose findings are asked for; what is left out is not looked at. */
export type About = Partial<Pick<Params, 'records' | 'transactions' | 'accounts'>>;

const nothing = { records: [], transactions: [], accounts: [] };

/** What an account stores, as exact decimal text, and which side of an entry raises it. */
export interface Balance {
  balance: string;
  normal_side: string;
}

/** A transaction that names a record. */
export interface Naming {
  id: string;
  record_id: string;
  status: string;
  transaction_type: string;
  /** Those that it has entries on, in order. */
  accounts: string[];
  named_by_jobs: string;
}

/** The books as the transaction of a correction sees them: each question reads them anew. */
export class Site {
  readonly #transaction: Transaction;
  readonly #source: Source;
  readonly #config: Config;
  /** The moment that the checks compare with: RFC 3339. */
  readonly asOf: string;
  /** Whether somebody only looks: nothing can be locked or written then. */
  readonly #isLook: boolean;

  constructor(transaction: Transaction, source: Source, config: Config, asOf: string, isLook: boolean) {
    this.#transaction = transaction;
    this.#source = source;
    this.#config = config;
    this.asOf = asOf;
    this.#isLook = isLook;
  }

  /**
   * Holds rows of the host, in the order of their ids. Throws a Refusal if one of them is not there, or twice; for whoever
   * only looks, PostgreSQL’s own error if the role may not.
   */
  async lock(table: HostTable, ids: readonly string[]): Promise<void> {
    if (this.#isLook) await planStatement(this.#transaction, this.#source, `${table}.lock`);
    else await lockRows(this.#transaction, this.#source, table, ids);
  }

  /** Throws what PostgreSQL, or the lack of a statement, would say to writing these rows; nothing is executed. */
  async assertWritable(rows: readonly HostRow[]): Promise<void> {
    for (const row of rows) await planStatement(this.#transaction, this.#source, `${row.table}.${deedOf(row)}`);
  }

  /** What a check says about some of its subjects: the very SQL of the run. */
  async findings(name: CheckName, about: About): Promise<Finding[]> {
    const check = checks[name];
    const found: Finding[] = [];
    const statement = check.statements['findings'];
    if (statement === undefined) throw new Error(`${name} has no findings that could be asked for.`);
    const params = { ...this.#params(about), ...check.params(this.#config) };
    const cut = { transaction: this.#transaction, source: this.#source, config: this.#config, params };
    await searchFindings(cut, name, statement, (finding) => found.push(finding));
    return found;
  }

  /** The answer of a file of sql/corrections. */
  ask<Row extends object>(file: string, relations: readonly Relation[], about: Partial<Params>): Promise<Row[]> {
    const text = compose(this.#source, { relations, layers: [], file: `corrections/${file}` });
    return query<Row>(this.#transaction, text, bind(this.#params(about)));
  }

  /** What accounts store now. */
  async balances(accounts: readonly string[]): Promise<Map<string, Balance>> {
    const rows = await this.ask<Balance & { id: string }>('balances.sql', ['ledger_accounts'], {
      accounts: [...accounts],
    });
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** Throws a Failure if a balance is not the one that was written: triggers of the host may change it. */
  async assertStored(rows: readonly HostRow[]): Promise<void> {
    const written = rows.filter(({ table }) => table === 'ledger_accounts');
    const stored = await this.balances(written.map(({ id }) => id));
    for (const { id, after } of written)
      if (!money(stored.get(id)?.balance ?? 'NaN').equals(money(after['balance'] ?? 'NaN')))
        throw new Failure(`Account ${id} does not store what was written: something of the host changed it.`);
  }

  /** Every transaction that names one of these records, in whatever state. */
  naming(recordKind: string, records: readonly string[]): Promise<Naming[]> {
    const relations = ['ledger_transactions', 'ledger_entries', 'conversion_jobs'] as const;
    return this.ask<Naming>('naming.sql', relations, { record_kind: recordKind, records: [...records] });
  }

  /** The entries by which the host books a record. */
  entriesDue(recordKind: string, recordId: string): Promise<EntryDue[]> {
    return entriesDue(this.#transaction, this.#source, recordKind, recordId);
  }

  #params(about: Partial<Params>): Params {
    return { ...paramsOf(this.#config, everything, this.asOf), ...nothing, ...about };
  }
}
