import { expect, test } from 'vitest';
import { renderTable } from '../../src/output/table.ts';

test('columns are aligned, without a frame, a colour or blanks at the end', () => {
  const columns = [{ header: 'check' }, { header: 'difference', align: 'right' as const }, { header: 'note' }];
  expect(
    renderTable(columns, [
      ['deposits', '-0.5', ''],
      ['支付', '10000000', 'x'],
    ]),
  ).toBe(['check     difference  note', 'deposits        -0.5', '支付        10000000  x', ''].join('\n'));
});
