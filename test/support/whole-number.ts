import { InvalidArgumentError } from 'commander';

/** Reads a whole number of a command line, written as in code (`10_000`), and refuses one below `smallest`. */
export function wholeNumber(smallest: number) {
  return (text: string): number => {
    const value = Number(text.replaceAll('_', ''));
    if (Number.isSafeInteger(value) && value >= smallest) return value;
    throw new InvalidArgumentError(`It must be a whole number, ${smallest} or more.`);
  };
}
