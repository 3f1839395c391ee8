import { recon } from './world.ts';

export interface OfferedCommand {
  /** `['exceptions', 'list']`. */
  path: readonly string[];
  help: string;
  /** Whether it does something itself, and has no commands below it; the program is no command. */
  isLast: boolean;
}

/** Every command that the program offers, as its help lists them; the program first. */
export async function offeredCommands(path: readonly string[] = []): Promise<OfferedCommand[]> {
  const { stdout: help } = await recon([...path, '--help']);
  const [, list = ''] = /^Commands:\n((?: {2}.*\n)+)/m.exec(help) ?? [];
  const names = [...list.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name!);
  const below: OfferedCommand[] = [];
  for (const name of names) below.push(...(await offeredCommands([...path, name])));
  return [{ path, help, isLast: names.length === 0 }, ...below];
}
