/** The words by which recon prints what somebody has to fill in. Nobody means them as they are. */
export const placeholders = { name: 'NAME', anotherName: 'SOMEBODY-ELSE', note: 'TEXT', time: 'TIME' } as const;

/** How a command is signed that wants a name and a reason. */
export const signed = `--by ${placeholders.name} --note ${placeholders.note}`;

/** Whether it was typed as it was printed, in a command (`NAME`) or a help text (`<name>`). */
export function isPlaceholder(text: string): boolean {
  const word = text.trim();
  return (Object.values(placeholders) as string[]).includes(word) || /^<[a-z-]+>$/.test(word);
}
