import { Command, type Option } from 'commander';
import { topics } from './help.ts';
import { wordArgument, type CommandContext } from './options.ts';
import { print } from './print.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

const examples = `
Examples:
  source <(recon completion bash)  in ~/.bashrc
  source <(recon completion zsh)   in ~/.zshrc, after compinit
  recon completion fish > ~/.config/fish/completions/recon.fish`;

/** `recon completion`: a script for a shell, made from the command tree. */
export function completionCommand({ world }: CommandContext, program: Command): Command {
  return new Command('completion')
    .description('a script that completes commands, flags and their values in your shell')
    .addArgument(wordArgument('<shell>', 'which shell', shells))
    .addHelpText('after', examples)
    .action(async (shell: Shell) => {
      const places = placesOf(program);
      await print(
        world.stdout,
        scripts[shell]([...places.filter(({ path }) => path !== 'help'), ...helpPlaces(places)]),
      );
    });
}

/** Where a command line may have got to, and what may follow. */
interface Place {
  /** `exceptions list`; empty at the beginning. */
  path: string;
  commands: readonly Command[];
  /** Those of the program too: they are understood everywhere. */
  options: readonly Option[];
  /** The values of the arguments, where they are a choice. */
  values: readonly string[];
}

function placesOf(command: Command, inherited: readonly Option[] = [], path = ''): Place[] {
  const options = [...command.options, ...inherited];
  const values = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  const below = command.commands.flatMap((child) => placesOf(child, options, `${path} ${child.name()}`.trim()));
  return [{ path, commands: command.commands, options, values }, ...below];
}

/** `help` takes the way to any command, and topics of its own. */
function helpPlaces(places: readonly Place[]): Place[] {
  return places.map(({ path, commands }) => ({
    path: `help ${path}`.trim(),
    commands,
    options: [],
    values: path === '' ? topics : [],
  }));
}

const scripts: Record<Shell, (places: readonly Place[]) => string> = {
  bash: (places) => `# recon for bash: source <(recon completion bash)
_recon() {
  local at_command='' at candidates=''
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "$at_command \${COMP_WORDS[at]}" in
      ${stepsOf(places)}) at_command="\${at_command:+$at_command }\${COMP_WORDS[at]}" ;;
    esac
  done
  case "$at_command \${COMP_WORDS[COMP_CWORD - 1]}" in
${casesOf(places, (words) => `candidates='${words}'`)}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _recon recon
`,
  zsh: (places) => `#compdef recon
# recon for zsh: source <(recon completion zsh)
_recon() {
  local at_command='' at
  local -a candidates
  for ((at = 2; at < CURRENT; at++)); do
    case "$at_command \${words[at]}" in
      ${stepsOf(places)}) at_command="\${at_command:+$at_command }\${words[at]}" ;;
    esac
  done
  case "$at_command \${words[CURRENT - 1]}" in
${casesOf(places, (words) => `candidates=(${words})`)}
  esac
  if (( \${#candidates} )); then compadd -- $candidates; else _files; fi
}
compdef _recon recon
`,
  fish: (places) => `# recon for fish: recon completion fish > ~/.config/fish/completions/recon.fish
function __recon_at
  set -l at_command ''
  for word in (commandline -opc)[2..]
    switch "$at_command $word"
      case ${stepsOf(places).replaceAll(' | ', ' ')}
        set at_command (string trim "$at_command $word")
    end
  end
  test "$at_command" = "$argv[1]"
end
complete -c recon -f
${places.flatMap(fishLines).join('\n')}
`,
};

/** The patterns of \`<where> <word>\` that lead on to a command. */
function stepsOf(places: readonly Place[]): string {
  return places.flatMap(({ path, commands }) => commands.map((command) => `'${path} ${command.name()}'`)).join(' | ');
}

/** What follows a flag, and else what follows a command. */
function casesOf(places: readonly Place[], assign: (words: string) => string): string {
  const afterFlags = places.flatMap(({ path, options }) =>
    options
      .filter(({ required }) => required)
      .map((option) => {
        const names = [option.long, option.short].filter((name) => name !== undefined);
        const patterns = names.map((name) => `'${path} ${name}'`).join(' | ');
        return `    ${patterns}) ${assign((option.argChoices ?? []).join(' '))} ;;`;
      }),
  );
  const afterCommands = places.map(({ path, commands, options, values }) => {
    const flags = options.flatMap(({ long }) => long ?? []);
    const words = [...commands.map((command) => command.name()), ...values, ...flags, '--help'];
    return `      '${path}') ${assign(words.join(' '))} ;;`;
  });
  return [...afterFlags, '    *) case "$at_command" in', ...afterCommands, '    esac ;;'].join('\n');
}

function fishLines({ path, commands, options, values }: Place): string[] {
  const here = `complete -c recon -n "__recon_at '${path}'"`;
  return [
    ...commands.map((command) => `${here} -a ${command.name()} -d ${quoted(command.description())}`),
    ...(values.length > 0 ? [`${here} -a ${quoted(values.join(' '))}`] : []),
    ...options.map((option) => {
      const short = option.short === undefined ? '' : ` -s ${option.short.slice(1)}`;
      const value = option.required ? fishValue(option.argChoices) : '';
      return `${here}${short} -l ${(option.long ?? '').slice(2)}${value} -d ${quoted(option.description)}`;
    }),
  ];
}

/** A flag without choices may take a file. */
function fishValue(choices: readonly string[] | undefined): string {
  return choices === undefined ? ' -r -F' : ` -x -a ${quoted(choices.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
