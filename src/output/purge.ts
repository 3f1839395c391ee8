import { inThousands } from '../count.ts';
import type { PurgeRecord, Removed } from '../purge/log.ts';
import type { Purge } from '../purge/plan.ts';
import { plain } from '../plain.ts';
import { excerpt, localTime, type Screen } from './screen.ts';
import { renderTable } from './table.ts';

/** What a purge deleted, or would delete. */
export function purgeText({ before }: { before: string }, purge: Purge, planned: boolean): string {
  const rows = [
    ['hourly and manual runs that nothing needs', purge.runs],
    ['checks of theirs', purge.checks],
    ['sightings between the first and the last of an exception', purge.sightings],
    ['texts of alerts that were delivered', purge.alertBodies],
  ] as const;
  return renderTable(
    [{ header: `before ${localTime(before)}` }, { header: planned ? 'would be deleted' : 'deleted', align: 'right' }],
    rows.map(([what, number]) => [what, inThousands(number)]),
  );
}

/** One line per purge. */
export function purgeLogTable(purges: readonly PurgeRecord[], { columns }: Screen): string {
  const right = (header: string) => ({ header, align: 'right' as const });
  return renderTable(
    [
      ...[{ header: 'purged' }, { header: 'by', wraps: true as const }, { header: 'older than' }],
      { header: 'runs', wraps: true },
      ...[right('checks'), right('sightings'), right('alert texts')],
      { header: 'note', wraps: true },
    ],
    purges.map(({ purged_at: at, purged_by: by, host, purged_before: before, removed, note }) => [
      localTime(at),
      plain(host === null ? by : `${by} on ${host}`),
      localTime(before),
      runsText(removed),
      ...(['checks', 'sightings', 'alert_bodies'] as const).map((what) =>
        inThousands(removed.reduce((all, step) => all + step[what], 0)),
      ),
      excerpt(note ?? ''),
    ]),
    columns,
  );
}

/** `13 hourly failed, 40 hourly passed, 2 manual passed`, or `none`. */
function runsText(removed: readonly Removed[]): string {
  const numbers = new Map<string, number>();
  for (const { runs } of removed)
    for (const [type, outcomes] of Object.entries(runs))
      for (const [outcome, number] of Object.entries(outcomes))
        numbers.set(`${type} ${outcome}`, (numbers.get(`${type} ${outcome}`) ?? 0) + number);
  if (numbers.size === 0) return 'none';
  return [...numbers]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([what, number]) => `${inThousands(number)} ${plain(what)}`)
    .join(', ');
}
