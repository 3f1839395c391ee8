/** The lines that a terminal shows after this was written to it: carriage returns and erased lines are obeyed. */
export function onScreen(written: string): string[] {
  return written.split('\n').map((line) => (line.split('\u001b[2K').at(-1) ?? '').replace('\r', ''));
}
