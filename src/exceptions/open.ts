import type { Database, Transaction } from '../database/database.ts';

/** The condition that a row named `exception` is neither resolved nor accepted at `now` (RFC 3339). */
export function isOpen(connection: Database | Transaction, now: string) {
  return connection`
    (
      exception.resolved_at is null
      and coalesce(exception.accepted_until <= ${now}::timestamptz, true)
    )
  `;
}
