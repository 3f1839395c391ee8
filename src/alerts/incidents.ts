import type { Transaction } from '../database/database.ts';
import { counts } from '../exceptions/state.ts';
import { severitiesFrom, type Severity } from '../kinds.ts';

/** What PagerDuty is told of under one key, until it is told that it is over. */
export interface Incident {
  key: string;
  /** Over when this exception does not count any more (`counts`). */
  exceptionId?: string;
  /** Over when none of this check counts. */
  check?: string;
}

/** Remembers what was opened; what is open already stays as it is. */
export async function openIncidents(
  transaction: Transaction,
  schema: string,
  incidents: readonly Incident[],
  at: string,
): Promise<void> {
  for (const { key, exceptionId, check } of incidents)
    await transaction`
      insert into ${transaction(`${schema}.reconciliation_incidents`)} (key, exception_id, check_type, opened_at)
      values (${key}, ${exceptionId ?? null}, ${check ?? null}, ${at})
      on conflict (key) do nothing
    `;
}

/** Forgets those of these keys that were open, and returns them. */
export async function closeIncidents(
  transaction: Transaction,
  schema: string,
  keys: readonly string[],
): Promise<string[]> {
  const rows = await transaction<{ key: string }[]>`
    delete from ${transaction(`${schema}.reconciliation_incidents`)} as incident
    where incident.key = any (${[...keys]}::text[])
    returning incident.key
  `;
  return rows.map(({ key }) => key).toSorted();
}

/**
 * Forgets the incidents whose exceptions are over, whoever ended them, and returns their keys: that of an exception
 * that does not count any more, that of a check of which none of `severity` or above counts.
 */
export async function closeFollowed(
  transaction: Transaction,
  schema: string,
  severity: Severity,
  now: string,
): Promise<string[]> {
  const exceptions = transaction(`${schema}.reconciliation_exceptions`);
  const loud = severitiesFrom(severity);
  const rows = await transaction<{ key: string }[]>`
    delete from ${transaction(`${schema}.reconciliation_incidents`)} as incident
    where
      (
        incident.exception_id is not null
        and not exists (
          select from ${exceptions} as exception
          where exception.id = incident.exception_id and ${counts(transaction, now)}
        )
      )
      or (
        incident.check_type is not null
        and not exists (
          select from ${exceptions} as exception
          where
            exception.check_type = incident.check_type
            and exception.severity = any (${[...loud]}::text[])
            and ${counts(transaction, now)}
        )
      )
    returning incident.key
  `;
  return rows.map(({ key }) => key).toSorted();
}

/** The keys of incidents whose exception somebody has acknowledged since the last call. */
export async function acknowledgeFollowed(transaction: Transaction, schema: string): Promise<string[]> {
  const rows = await transaction<{ key: string }[]>`
    update ${transaction(`${schema}.reconciliation_incidents`)} as incident
    set acknowledged = true
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where
      exception.id = incident.exception_id
      and not incident.acknowledged
      and exception.acknowledged_at is not null
    returning incident.key
  `;
  return rows.map(({ key }) => key).toSorted();
}
