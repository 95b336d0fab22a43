import { Command } from 'commander';
import type { Cli } from './cli.js';
import { COMMANDS } from './commands/index.js';

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed: refused, not found, invalid; of diff and plan: something differs
  2    the command line is wrong; of diff and plan: it cannot be told
  3    what was waited for did not happen in time
  4    no manager can be reached
  130  interrupted (Ctrl-C)

Environment:
  SWARMCTL_CONFIG  file of contexts (default: ~/.swarmctl/config.yaml)
  SWARMCTL_DEBUG   show where an error comes from
  NO_COLOR         no colours

Examples:
  # Run what a file says, and wait until it runs
  swarmctl apply -f service.yaml --wait

  # What runs, and why something does not
  swarmctl get services,tasks
  swarmctl describe service web`;

/**
 * The command line. Only commands that `wanted` names are loaded whole, as a person waits for every
 * start; the others are there with their name and summary.
 */
export async function buildProgram(
  cli: Cli,
  wanted: (name: string) => boolean = () => true,
): Promise<Command> {
  const program = new Command('swarmctl')
    .description('Runs containers on many hosts: talks to the managers of a Swarmkeeper cluster.')
    .enablePositionalOptions()
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText('after', EXIT_CODES);
  for (const { name, summary, group, isHidden = false, load } of COMMANDS) {
    program.commandsGroup(group);
    const command = wanted(name)
      ? (await load())(cli)
      : new Command(name).summary(summary).allowUnknownOption().allowExcessArguments();
    program.addCommand(command.summary(summary).helpGroup(group), { hidden: isHidden });
  }
  program.option('--context <name>', 'cluster to talk to (default: the current context)');
  configure(program, cli);
  return program;
}

/** Makes every command throw instead of exiting, write to our streams and know the global options. */
function configure(command: Command, cli: Cli): void {
  const { streams } = cli;
  command
    .exitOverride()
    .helpCommand(false)
    .configureOutput({
      writeOut: (text) => streams.out(text),
      writeErr: (text) => streams.err(text),
      getOutHelpWidth: () => streams.columns,
      getErrHelpWidth: () => streams.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError(`See '${pathOf(command)} --help'.`);
  for (const child of command.commands) {
    if (child.commands.length === 0) {
      child.option('--context <name>', 'cluster to talk to (default: the current context)');
    }
    configure(child, cli);
  }
}

/** `swarmctl service create`. */
export function pathOf(command: Command): string {
  const parent = command.parent;
  return parent ? `${pathOf(parent)} ${command.name()}` : command.name();
}
