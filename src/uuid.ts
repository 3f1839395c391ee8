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
