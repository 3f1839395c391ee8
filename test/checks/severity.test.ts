import { describe, expect, test } from 'vitest';
import { severityOf, worse } from '../../src/checks/severity.ts';
import { kindNamed } from '../../src/kinds.ts';
import { money } from '../../src/money.ts';
import { configOf } from '../support/run-check.ts';

const { severityUpTo } = configOf();

function severity(kind: string, difference: string | null, stake: string | null = null, upTo = severityUpTo): string {
  return severityOf(
    kindNamed(kind),
    difference === null ? null : money(difference),
    stake === null ? null : money(stake),
    upTo,
  );
}

describe('by the amount, each limit included', () => {
  test.each([
    ['0', 'low'],
    ['0.000000000000000001', 'low'],
    ['1', 'low'],
    ['1.000000000000000001', 'medium'],
    ['100', 'medium'],
    ['100.000000000000000001', 'high'],
    ['1000', 'high'],
    ['1000.000000000000000001', 'critical'],
    ['100000000000000000', 'critical'],
    ['NaN', 'critical'],
    ['Infinity', 'critical'],
    ['-Infinity', 'critical'],
  ])('%s is %s, of either sign', (amount, expected) => {
    expect(severity('balance_drift', amount)).toBe(expected);
    expect(severity('balance_drift', money(amount).negated().toString())).toBe(expected);
  });
});

test('the larger of difference and stake decides', () => {
  expect(severity('balance_drift', '0.5', '500')).toBe('high');
  expect(severity('balance_drift', '-500', '0.5')).toBe('high');
  expect(severity('balance_drift', null, '-5000')).toBe('critical');
  expect(severity('balance_drift', '5', 'NaN')).toBe('critical');
  expect(severity('balance_drift', null, null)).toBe('low');
});

test('never below the floor, never above the ceiling', () => {
  expect(severity('posted_while_unposted', '0.01')).toBe('medium');
  expect(severity('broken_reversal', '0')).toBe('high');
  expect(severity('broken_reversal', '5000')).toBe('critical');
  expect(severity('invalid_amount', null)).toBe('critical');
  expect(severity('stuck', null, '5000')).toBe('medium');
  expect(severity('stuck', null, 'NaN')).toBe('medium');
});

test('the worse of two, in either order', () => {
  expect([worse('low', 'critical'), worse('critical', 'low'), worse('medium', 'medium')]).toEqual([
    'critical',
    'critical',
    'medium',
  ]);
});

test('a number of things is no amount', () => {
  expect(severity('duplicate_account', '5000')).toBe('medium');
  expect(severity('wrong_entry_count', '5000')).toBe('high');
});

test('the limits can be set', () => {
  const { severityUpTo: upTo } = configOf({
    RECONCILIATION_LOW_UP_TO: '0',
    RECONCILIATION_MEDIUM_UP_TO: '0.5',
    RECONCILIATION_HIGH_UP_TO: '0.5',
  });
  expect(severity('balance_drift', '0', null, upTo)).toBe('low');
  expect(severity('balance_drift', '0.000000000000000001', null, upTo)).toBe('medium');
  expect(severity('balance_drift', '0.500000000000000001', null, upTo)).toBe('critical');
});
