import { Command } from 'commander';
import type { Cli } from '../cli.js';
import { DockerCommand } from '../docker/docker-command.js';

/** Makes a command. */
export type CommandFactory = (cli: Cli) => Command;

/** What `--help` says besides arguments and options. */
export interface CommandNotes {
  readonly name: string;
  readonly summary: string;
  /** More than the summary. Default: the summary. */
  readonly description?: string;
  /** What it is good for, and the line to type. At least one. */
  readonly examples: readonly (readonly [purpose: string, line: string])[];
}

/** A command with its examples. */
export function defineCommand(notes: CommandNotes): Command {
  return withNotes(new Command(notes.name), notes);
}

/** A command with its examples and Docker's manners. */
export function defineDockerCommand(notes: CommandNotes): Command {
  return withNotes(new DockerCommand(notes.name), notes);
}

/** Positional options, so that flags behind an image belong to its container. */
function withNotes(command: Command, { summary, description, examples }: CommandNotes): Command {
  const lines = examples.map(([purpose, line]) => `  # ${purpose}\n  ${line}`);
  return command
    .summary(summary)
    .description(description ?? summary)
    .enablePositionalOptions()
    .addHelpText('after', `\nExamples:\n${lines.join('\n\n')}`);
}

/** A command that only holds others. `later` are those that are refused by name: see notSupportedYet. */
export function defineGroup(
  notes: CommandNotes,
  commands: readonly Command[],
  later: readonly Command[] = [],
): Command {
  const group = defineCommand(notes);
  for (const command of commands) group.addCommand(command);
  for (const command of later) group.addCommand(command, { hidden: true });
  return group;
}

/** For options that may be repeated. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
