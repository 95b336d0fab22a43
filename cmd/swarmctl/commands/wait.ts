import type { Command } from 'commander';
import { formatDurationMs, type KindDescription } from '../../../api/v1/index.js';
import { hasCode } from '../../../pkg/base/index.js';
import { withCluster, type Cli, type Session } from '../cli.js';
import { UsageError, WaitTimeoutError } from '../exit-code.js';
import { parseTargets, pluralOf, titleOf, type AnyObject } from '../objects/target.js';
import { unknownName } from '../objects/unknown-name.js';
import { parseGoal, type WaitGoal } from '../objects/wait-goal.js';
import { NotConvergingError } from '../progress/follow-services.js';
import { defineCommand } from './define-command.js';
import { timeoutOption, waitDeadline, type Deadline } from './timeout-option.js';

interface WaitOptions {
  readonly for: string;
  readonly timeout: number;
}

/** How often to look, in milliseconds. */
const LOOK_EVERY_MS = 200;

/** `swarmctl wait`. */
export function waitCommand(cli: Cli): Command {
  return defineCommand({
    name: 'wait',
    summary: 'Wait until objects are as they should be',
    description:
      'Waits until every named object is as --for says. Exits with 3 when that does not happen in time.',
    examples: [
      ['All tasks of a service run its newest revision', 'swarmctl wait service/web --for=running'],
      ['A condition', 'swarmctl wait service/web --for=condition=Available --timeout 1m'],
      ['Any field', 'swarmctl wait service/web --for=status.running=3'],
      [
        'A job has completed; ends with 1 when it fails',
        'swarmctl wait service/backup --for=complete',
      ],
      ['It is gone', 'swarmctl wait service/web --for=deleted'],
    ],
  })
    .argument('<kind|kind/name>', 'what to wait for')
    .argument('[name...]', 'names')
    .requiredOption(
      '--for <goal>',
      'running, complete, failed, deleted, condition=NAME[=false] or PATH=VALUE',
    )
    .addOption(timeoutOption('5m'))
    .action((kind: string, names: readonly string[], options: WaitOptions, command: Command) => {
      const goal = parseGoal(options.for);
      const objects = parseTargets([kind, ...names]).flatMap((target) =>
        target.names.map((name) => ({ kind: target.kind, name })),
      );
      if (objects.length === 0) throw new UsageError('name what to wait for, such as service/web');
      return withCluster(cli, command, (session) => {
        const deadline = waitDeadline(session.streams, options.timeout);
        return waitForAll(session, objects, { goal, deadline });
      });
    });
}

interface Named {
  readonly kind: KindDescription;
  readonly name: string;
}

interface Waiting {
  readonly goal: WaitGoal;
  readonly deadline: Deadline;
}

async function waitForAll(
  session: Session,
  objects: readonly Named[],
  waiting: Waiting,
): Promise<void> {
  await Promise.all(
    objects.map(async (object) => {
      await waitFor(session, object, waiting);
      session.streams.out(`${titleOf(object.kind, object.name)} ${waiting.goal.words}\n`);
    }),
  );
}

async function waitFor(session: Session, named: Named, { goal, deadline }: Waiting): Promise<void> {
  const { clock, interrupted } = session.streams;
  for (;;) {
    const object = await look(session, named);
    if (goal.isReached(object)) return;
    const hopeless = object && goal.hopeless?.(object);
    if (hopeless !== undefined) {
      throw new NotConvergingError(
        `${titleOf(named.kind, named.name)} will not be ${goal.words}: ${hopeless}`,
      );
    }
    if (clock.monotonicMs() >= deadline.atMs) {
      if (object === undefined) throw await unknownName(session.api, named.kind, named.name);
      const title = titleOf(named.kind, named.name);
      throw new WaitTimeoutError(
        `${title}: ${goal.present(object)} after ${formatDurationMs(deadline.timeoutMs)}; wanted: ${goal.words}`,
      );
    }
    await clock.sleep(LOOK_EVERY_MS, interrupted);
  }
}

async function look(
  { api, streams }: Session,
  { kind, name }: Named,
): Promise<AnyObject | undefined> {
  try {
    return await api.get(pluralOf(kind), name, { signal: streams.interrupted });
  } catch (error) {
    if (hasCode(error, 'ERR_NOT_FOUND')) return undefined;
    throw error;
  }
}
