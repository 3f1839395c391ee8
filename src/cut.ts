import { plain } from './plain.ts';

/** Foreign text on one line, of at most so many characters as JavaScript and JSON count them, none of them cut in half. */
export function cut(text: string, most: number): string {
  return cutTo(most, plain(text));
}

/** The same of text in which each character is replaced by what `spell` makes of it. */
export function cutTo(
  most: number,
  text: string,
  spell: (character: string) => string = (character) => character,
): string {
  let made = '';
  let kept = ''; // with room for the dots
  for (const character of text) {
    made += spell(character);
    if (made.length > most) return `${kept}…`;
    if (made.length < most) kept = made;
  }
  return made;
}
