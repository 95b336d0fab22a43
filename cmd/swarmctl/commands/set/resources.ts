import { Option, type Command } from 'commander';
import type { Cli } from '../../cli.js';
import { cpuValue, integerValue, invalidArgument, sizeValue } from '../../docker/values.js';
import { UsageError } from '../../exit-code.js';
import { defineCommand } from '../define-command.js';
import { addSetOptions, setTemplates, type SetFlags } from './set-command.js';

interface ResourcesFlags extends SetFlags {
  readonly limits?: string;
  readonly reservations?: string;
  readonly requests?: string;
}

/** `swarmctl set resources`. */
export function setResourcesCommand(cli: Cli): Command {
  const command = defineCommand({
    name: 'resources',
    summary: 'Set limits and reservations of services',
    examples: [
      [
        'Limits and what is reserved on a node',
        'swarmctl set resources service/web --limits cpus=1,memory=256Mi --reservations memory=128Mi',
      ],
      ['No limit of memory any more', 'swarmctl set resources service/web --limits memory-'],
    ],
  })
    .argument('<service...>', 'service/NAME or service NAME')
    .option('--limits <list>', 'such as cpus=0.5,memory=64Mi,pids=100; with - behind it is removed')
    .option('--reservations <list>', 'such as cpus=0.5,memory=64Mi')
    .addOption(new Option('--requests <list>', "kubectl's word for reservations").hideHelp());
  return addSetOptions(command).action(
    (targets: readonly string[], flags: ResourcesFlags, self: Command) => {
      const { limits, reservations = flags.requests } = flags;
      const resources = {
        ...(limits !== undefined && { limits: amounts('limits', limits, LIMITS) }),
        ...(reservations !== undefined && {
          reservations: amounts('reservations', reservations, RESERVATIONS),
        }),
      };
      if (Object.keys(resources).length === 0) {
        throw new UsageError('nothing to set', 'Give --limits or --reservations.');
      }
      return setTemplates(cli, self, {
        targets,
        flags,
        word: 'resource requirements updated',
        patch: { resources },
      });
    },
  );
}

type Read = (flag: string, text: string) => string | number;

const RESERVATIONS: Readonly<Record<string, Read>> = { cpus: cpuValue, memory: sizeValue };
const LIMITS: Readonly<Record<string, Read>> = { ...RESERVATIONS, pids: integerValue };

/** `cpus=0.5,memory-` as a JSON merge patch. Errors: UsageError. */
function amounts(
  flag: string,
  text: string,
  readers: Readonly<Record<string, Read>>,
): Readonly<Record<string, string | number | null>> {
  const entries = text.split(',').map((part) => {
    const [, word = '', value] = /^\s*([^=]+?)(?:=(.*)|-)\s*$/.exec(part) ?? [];
    const name = word === 'cpu' ? 'cpus' : word;
    const read = readers[name];
    if (read === undefined) {
      const known = Object.keys(readers).join(', ');
      throw invalidArgument(flag, text, `expected NAME=AMOUNT or NAME- with one of ${known}`);
    }
    return [name, value === undefined || value === '' ? null : read(flag, value)] as const;
  });
  return Object.fromEntries(entries);
}
