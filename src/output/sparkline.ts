const levels = ['▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** One character per value: `▁` for zero, else up to `█` for the largest number; text stands for itself. */
export function sparkline(values: readonly (number | string)[]): string {
  const largest = Math.max(...values.filter((value) => typeof value === 'number'));
  return values.map((value) => (typeof value === 'number' ? barOf(value, largest) : value)).join('');
}

function barOf(number: number, largest: number): string {
  return number === 0 ? '▁' : (levels[Math.ceil((number / largest) * levels.length) - 1] ?? '');
}
