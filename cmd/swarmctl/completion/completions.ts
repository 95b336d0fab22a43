import type { Command, Option } from 'commander';
import { answersTo } from '../docker/answers-to.js';
import type { Cli } from '../cli.js';
import { argumentCandidates } from './argument-candidates.js';
import type { Candidate } from './candidate.js';

/** What may come: these words, or names of files. */
export interface Completions {
  readonly areFiles: boolean;
  readonly candidates: readonly Candidate[];
}

const FILES: Completions = { areFiles: true, candidates: [] };

/** What may stand in the place of the last of `words`. */
export async function completions(
  program: Command,
  words: readonly string[],
  cli: Cli,
): Promise<Completions> {
  const current = words.at(-1) ?? '';
  const { command, operands, pending } = walk(program, words.slice(0, -1));
  const [, flag] = /^(--[^=]+)=/.exec(current) ?? [];
  const option =
    pending ?? command.options.find((known) => flag !== undefined && answersTo(known, flag));
  if (option) return valuesOf(option, { command, operands, current, flag, cli });
  const found = current.startsWith('-')
    ? flagsOf(command)
    : [...commandsOf(command), ...(await wordsFor(command, operands, current, cli))];
  return { areFiles: false, candidates: found.filter(({ word }) => word.startsWith(current)) };
}

interface Place {
  readonly command: Command;
  readonly operands: readonly string[];
  /** The option whose value comes next. */
  readonly pending: Option | undefined;
}

/** Where the words before lead to. */
function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let pending: Option | undefined;
  const operands: string[] = [];
  for (const word of words) {
    if (pending) {
      pending = undefined;
    } else if (word.startsWith('-')) {
      pending = command.options.find((known) => answersTo(known, word) && known.required);
    } else {
      const child = operands.length === 0 ? childOf(command, word) : undefined;
      if (child) command = child;
      else operands.push(word);
    }
  }
  return { command, operands, pending };
}

const childOf = (command: Command, word: string) =>
  command.commands.find((child) => child.name() === word || child.aliases().includes(word));

interface ValueContext {
  readonly command: Command;
  readonly operands: readonly string[];
  readonly current: string;
  readonly flag: string | undefined;
  readonly cli: Cli;
}

async function valuesOf(
  option: Option,
  { command, operands, current, flag, cli }: ValueContext,
): Promise<Completions> {
  if (/<file|env-file/.test(option.flags)) return FILES;
  const prefix = flag === undefined ? '' : `${flag}=`;
  const typed = current.slice(prefix.length);
  const words =
    option.argChoices?.map((word) => ({ word })) ??
    (await argumentCandidates({
      path: `--${option.name()}`,
      operands,
      current: typed,
      cli,
      command,
    }));
  const candidates = words
    .map(({ word, ...rest }) => ({ ...rest, word: `${prefix}${word}` }))
    .filter(({ word }) => word.startsWith(current));
  return { areFiles: false, candidates };
}

function flagsOf(command: Command): readonly Candidate[] {
  const help = command.createHelp();
  return help
    .visibleOptions(command)
    .flatMap((option) =>
      [option.long, option.short]
        .filter((flag) => flag !== undefined)
        .map((word) => ({ word, about: option.description })),
    );
}

function commandsOf(command: Command): readonly Candidate[] {
  const help = command.createHelp();
  return help
    .visibleCommands(command)
    .map((child) => ({ word: child.name(), about: child.summary() }));
}

async function wordsFor(
  command: Command,
  operands: readonly string[],
  current: string,
  cli: Cli,
): Promise<readonly Candidate[]> {
  const choices = command.registeredArguments[operands.length]?.argChoices;
  if (choices) return choices.map((word) => ({ word }));
  return argumentCandidates({ path: pathOf(command), operands, current, cli, command });
}

function pathOf(command: Command): string {
  const parent = command.parent;
  if (!parent) return '';
  return `${pathOf(parent)} ${command.name()}`.trim();
}
