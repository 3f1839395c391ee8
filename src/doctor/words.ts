import type { Cut } from '../checks/check.ts';
import { cut as shortened } from '../cut.ts';
import { query } from '../database/database.ts';
import { bind, composeAnswer, type Relation } from '../source.ts';
import { problem, some, warning, type Opinion } from './examination.ts';

/** What a column may say (README, "Your own tables"). */
interface Vocabulary {
  words: readonly string[];
  /** The mapping itself has to say one of them: another word, or none, is its mistake. Else the host's own word goes through. */
  own?: boolean;
  /** Nothing is a word too. */
  orNull?: boolean;
}

const currency: Vocabulary = { words: ['USDC', 'USD'] };
const status: Vocabulary = { words: ['pending', 'completed', 'reversed', 'failed'] };
const side = ['debit', 'credit'];
const state: Vocabulary = { words: ['pending', 'settled', 'failed', 'unknown'], own: true };
const kind: Vocabulary = { words: ['deposit', 'withdrawal', 'conversion_job'], own: true };
const leg: Vocabulary = { words: ['source', 'destination'], own: true };
const custodian: Vocabulary = { words: ['circle', 'alpaca'], own: true };

/** The columns that take recon's own words. */
const vocabularies: Record<Relation, Record<string, Vocabulary>> = {
  ledger_accounts: { currency, normal_side: { words: side, own: true } },
  ledger_transactions: { status, record_kind: { ...kind, orNull: true } },
  ledger_entries: { entry_type: { words: side }, currency },
  record_legs: { record_kind: kind, leg, entry_type: { words: side, own: true } },
  deposits: { currency, state },
  withdrawals: { currency, state },
  conversion_jobs: { source_currency: currency, destination_currency: currency, state },
  recent_records: { record_kind: kind },
  custody_accounts: { custodian },
  custody_positions: { custodian, currency },
  custody_movements: { custodian, currency, status },
};

/** Of what has many rows, some tell how the mapping speaks: any, for the newest would have to be sorted out first. */
const sampleSize = 1_000;

/** These put several tables together, of which the first would fill a sample; `owners` reads them to the end as well. */
const readWhole: readonly Relation[] = ['record_legs', 'custody_accounts', 'custody_positions', 'recent_records'];

/**
 * Where a relation says what recon does not know. A word of the host that the mapping lets through may be a fault of the
 * host's data, which a run reports: only where no word at all is known, the mapping does not translate.
 */
export async function judgeWords(cut: Cut, relation: Relation, howToMend: string): Promise<Opinion[]> {
  const said = await wordsOf(cut, relation);
  return Object.entries(vocabularies[relation]).flatMap(([column, vocabulary]) =>
    judge(`${relation}.sql gives ${column}`, said[column] ?? [], vocabulary, howToMend),
  );
}

type Words = Record<string, (string | null)[] | null>;

async function wordsOf({ transaction, source, params }: Cut, relation: Relation): Promise<Words> {
  const columns = Object.keys(vocabularies[relation]).map((column) => `array_agg(distinct ${column}) as ${column}`);
  const limit = readWhole.includes(relation) ? '' : ` limit ${sampleSize}`;
  const answer = `select ${columns.join(', ')} from (select * from ${relation}${limit}) as sample`;
  const since = new Date(Date.parse(params.as_of) - recentMs).toISOString();
  const [row] = await query<Words>(transaction, composeAnswer(source, relation, answer), bind({ ...params, since }));
  if (row === undefined) throw new Error(`The database did not say which words are in ${relation}.`);
  return row;
}

/** As far back as `recent_records` is asked. */
const recentMs = 7 * 86_400_000;

function judge(
  gives: string,
  said: readonly (string | null)[],
  { words, own, orNull = own !== true }: Vocabulary,
  howToMend: string,
): Opinion[] {
  const unknown = said.filter((word) => (word === null ? !orNull : !words.includes(word)));
  if (unknown.length === 0) return [];
  const told = `${gives} ${some(unknown.map((word) => (word === null ? 'null' : `\`${shortened(word, 40)}\``)))}`;
  if (own === true || !said.some((word) => word !== null && words.includes(word)))
    return [problem(`${told}; known are ${words.join(', ')}.`, howToMend)];
  return [
    warning(
      `${told} beside what is known (${words.join(', ')}).`,
      `If your tables say the same in several ways, translate it. ${howToMend} If it is a fault in your data, a run reports it.`,
    ),
  ];
}
