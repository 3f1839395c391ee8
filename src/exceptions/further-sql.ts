import { checks } from '../checks/index.ts';
import type { Config } from '../config.ts';
import { everything, paramsOf } from '../run/cut.ts';
import { composeForReading, openSource, type Params } from '../source.ts';
import { isOfCustodian, type StoredException } from './exception.ts';
import { questionsOf, stories } from './involved.ts';

/**
 * The SQL to look further into an exception, ready for psql, by name: what its story asks, and the check itself. Nothing
 * for one that is older than recon.
 */
export function furtherSql(exception: StoredException, config: Config, asOf: string): [name: string, sql: string][] {
  const check = (checks as Partial<typeof checks>)[exception.check_type];
  if (check === undefined) return [];
  const source = openSource(config.source);
  const ofCustodian = isOfCustodian(exception);
  const { asked, about } = questionsOf(exception.affected_entity);
  const params = { ...paramsOf(config, everything, asOf), ...check.params(config) };
  const told = asked.map((name): [string, string] => [
    name,
    composeForReading(source, stories[name], { ...params, ...about }),
  ]);
  const compared = Object.entries(check.statements)
    .filter(([name]) => ofCustodian || name === 'findings')
    .map(([name, statement]): [string, string] => [
      ofCustodian ? `${check.name} ${name}` : `${check.name} ${name}, others of the same rows among them`,
      composeForReading(source, statement, ofCustodian ? params : { ...params, ...narrowed(about) }),
    ]);
  return ofCustodian ? compared : [...told, ...compared];
}

/** Only this subject; whatever else a check looks at is left out. */
function narrowed({ records, transactions, accounts }: Partial<Params>): Partial<Params> {
  return { records: records ?? [], transactions: transactions ?? [], accounts: accounts ?? [] };
}
