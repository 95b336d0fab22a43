import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../cli.js';
import { UsageError } from '../exit-code.js';
import { parseReplicas, parseScale, scaleService, type Scale } from '../objects/scale-services.js';
import { followServices } from '../progress/follow-services.js';
import { defineCommand } from './define-command.js';
import { timeoutOption, waitDeadline } from './timeout-option.js';

interface ScaleOptions {
  readonly replicas?: string;
  readonly wait?: boolean;
  readonly timeout: number;
}

/** `swarmctl scale`. */
export function scaleCommand(cli: Cli): Command {
  return defineCommand({
    name: 'scale',
    summary: 'Change how many tasks services have',
    examples: [
      ['Two services at once, and see it happen', 'swarmctl scale web=5 api=3 --wait'],
      ['One service', 'swarmctl scale service/web --replicas 5'],
      ['Stop all tasks, keep the service', 'swarmctl scale web=0'],
    ],
  })
    .argument('<service[=replicas]...>', 'services and their number of tasks')
    .option('--replicas <number>', 'for services that are given without a number')
    .option('--wait', 'show progress until all tasks run')
    .addOption(timeoutOption('5m'))
    .action((args: readonly string[], options: ScaleOptions, command: Command) => {
      const scales = args.map((arg) => scaleOf(arg, options.replicas));
      return withCluster(cli, command, (session) => scale(session, scales, options));
    });
}

function scaleOf(arg: string, replicas: string | undefined): Scale {
  if (arg.includes('=')) return parseScale(arg);
  if (replicas === undefined) {
    throw new UsageError(`how many tasks should ${arg} have?`, `Write ${arg}=3, or --replicas 3.`);
  }
  return parseScale(`${arg}=${String(parseReplicas(replicas))}`);
}

async function scale(
  session: Session,
  scales: readonly Scale[],
  { wait, timeout }: ScaleOptions,
): Promise<void> {
  const { streams } = session;
  const deadline = waitDeadline(streams, timeout);
  for (const wanted of scales) {
    const result = await scaleService(session, wanted);
    const word = result === 'unchanged' ? 'unchanged at' : 'scaled to';
    streams.out(`service/${wanted.name} ${word} ${String(wanted.replicas)}\n`);
  }
  if (wait) {
    await followServices(
      session,
      scales.map(({ name }) => name),
      deadline,
    );
  }
}
