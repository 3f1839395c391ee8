import type { Purge } from '../purge.ts';
import { localTime } from './screen.ts';
import { renderTable } from './table.ts';

/** What a purge deleted, or would delete. */
export function purgeText({ before }: { before: string }, purge: Purge, planned: boolean): string {
  const rows = [
    ['hourly and manual runs that nothing needs', purge.runs],
    ['checks of theirs', purge.checks],
    ['sightings between the first and the last of an exception', purge.sightings],
    ['alerts that were delivered', purge.alerts],
  ] as const;
  return renderTable(
    [{ header: `before ${localTime(before)}` }, { header: planned ? 'would be deleted' : 'deleted', align: 'right' }],
    rows.map(([what, number]) => [what, number.toLocaleString('en-US')]),
  );
}
