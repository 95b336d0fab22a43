import { InvalidArgumentError, Option, type Command } from 'commander';
import { withCluster, type Cli } from '../cli.js';
import { UsageError } from '../exit-code.js';
import { valueAt } from '../objects/field-path.js';
import { getObjects, type GetOptions } from '../objects/get-objects.js';
import { parseTargets } from '../objects/target.js';
import { OUTPUT_FORMATS } from '../output/print-objects.js';
import { defineCommand } from './define-command.js';

/** `swarmctl get`. */
export function getCommand(cli: Cli): Command {
  return defineCommand({
    name: 'get',
    summary: 'Show objects',
    examples: [
      ['Everything that runs', 'swarmctl get services,tasks'],
      ['Tasks of one service, as they change', 'swarmctl get tasks -l tier=web -w'],
      [
        'The tasks of a node that failed',
        'swarmctl get tasks --field-selector status.state=failed',
      ],
      ['One object as a file that apply takes', 'swarmctl get service web -o yaml'],
      ['The newest last', 'swarmctl get services --sort-by metadata.createdAt'],
      ['Which fields belong to its file', 'swarmctl get service web -o yaml --show-applied'],
    ],
  })
    .argument('<kind[,kind]|kind/name>', 'what to show; see `swarmctl api-resources`')
    .argument('[name...]', 'names, ids or beginnings of ids; default: all')
    .addOption(new Option('-o, --output <format>', 'form').choices(OUTPUT_FORMATS))
    .option('-w, --watch', 'go on with changes')
    .option('-l, --selector <labels>', 'only objects with these labels: a=b,c!=d,e,!f')
    .option('--field-selector <fields>', 'only objects with these fields: spec.service=web')
    .option('--sort-by <path>', 'order, such as metadata.createdAt', pathArgument)
    .option('--no-headers', 'leave the headings out')
    .option('--show-applied', 'with -o yaml or json: also which fields came from apply')
    .action((kind: string, names: readonly string[], options: GetOptions, command: Command) => {
      const targets = parseTargets([kind, ...names]);
      return withCluster(cli, command, (session) => getObjects(session, targets, options));
    });
}

function pathArgument(text: string): string {
  try {
    valueAt({}, text);
  } catch (error) {
    throw error instanceof UsageError ? new InvalidArgumentError(error.message) : error;
  }
  return text;
}
