import { createHash } from 'node:crypto';

/** Whether a text is a whole id as the tables of recon and of its hosts have them. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** Whether a text is the beginning of one, or a whole one. */
export function beginsUuid(text: string): boolean {
  return text !== '' && isUuid(withDigits(text, '0'));
}

/** The beginning of an id made whole, with one digit to its end: `0` gives the lowest id that begins so, `f` the highest. */
export function withDigits(beginning: string, digit: '0' | 'f'): string {
  return beginning + '00000000-0000-0000-0000-000000000000'.slice(beginning.length).replaceAll('0', digit);
}

/** The id that follows from a name, the same every time: RFC 9562, version 8. */
export function uuidFrom(name: string): string {
  const hash = createHash('sha256').update(name).digest('hex');
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(12, 15)}`,
    `8${hash.slice(15, 18)}`,
    hash.slice(18, 30),
  ].join('-');
}
