/** `10,312`: a number as people read it. */
export function inThousands(number: number): string {
  return number.toLocaleString('en-US');
}

/** `1 finding`, `3 findings`, `10,312 records`. */
export function count(number: number, noun: string): string {
  return `${inThousands(number)} ${noun}${number === 1 ? '' : 's'}`;
}
