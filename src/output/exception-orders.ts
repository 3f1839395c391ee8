import { inThousands } from '../count.ts';
import { actions, actionNames, takesOver, type Order, type Signature } from '../exceptions/actions.ts';
import { holderOf, type StoredException } from '../exceptions/exception.ts';
import { plain } from '../plain.ts';
import { shortenerOfHost, subjectAndAmount } from './exceptions.ts';
import { cut, localTime, shortId, type Screen } from './screen.ts';
import { renderTable } from './table.ts';

/** What would be done with the first exceptions, one line each, and how many more there are. */
export function orderTable(
  first: readonly StoredException[],
  orders: readonly Order[],
  signature: Signature,
  screen: Screen,
): string {
  const orderOf = new Map(orders.map((order) => [order.id, order]));
  const shorten = shortenerOfHost(first);
  const rows = first.map((exception) => {
    const order = orderOf.get(exception.id ?? '');
    return [
      order?.action ?? '',
      screen.strong(shortId(exception.id ?? '')),
      screen.severity(exception.severity),
      cut(exception.kind),
      ...subjectAndAmount(exception, shorten),
      order === undefined ? '' : whatOf(order, exception, signature),
    ];
  });
  const table = renderTable(
    [
      ...['action', 'id', 'severity', 'kind', 'subject'].map((header) => ({ header })),
      { header: 'difference', align: 'right' },
      { header: '' },
      { header: 'what for', wraps: true },
    ],
    rows,
    screen.columns,
  );
  const more = orders.length - first.length;
  return more > 0 ? `${table}… and ${inThousands(more)} more\n` : table;
}

function whatOf(order: Order, exception: StoredException, { by }: Signature): string {
  const { assignee, until, note } = order;
  const holder = holderOf(exception);
  return [
    takesOver(order, holder, by) ? `${order.action === 'resolve' ? 'WITH' : 'TAKEN FROM'} ${cut(holder ?? '')}` : '',
    assignee === null ? '' : `to ${cut(assignee)}`,
    until === null ? '' : `until ${localTime(until)}`,
    note === null ? '' : `“${cut(note)}”`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** `2 resolved, 1 assigned by Ada in production`. */
export function doneText(orders: readonly Order[], { by }: Signature, environment: string): string {
  const done = actionNames
    .map((action) => ({ action, number: orders.filter((order) => order.action === action).length }))
    .filter(({ number }) => number > 0)
    .map(({ action, number }) => `${inThousands(number)} ${actions[action].event}`);
  return `${done.join(', ')} by ${plain(by)} in ${plain(environment)}`;
}
