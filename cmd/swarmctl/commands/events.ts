import type { Command } from 'commander';
import { Option } from 'commander';
import { withCluster, type Cli, type Session } from '../cli.js';
import { getObjects } from '../objects/get-objects.js';
import { parseTarget, requireKind, type Target } from '../objects/target.js';
import { readObject } from '../objects/unknown-name.js';
import { OUTPUT_FORMATS, type OutputFormat } from '../output/print-objects.js';
import { defineCommand } from './define-command.js';

interface EventsOptions {
  readonly watch?: boolean;
  readonly for?: string;
  readonly type?: string;
  readonly output?: OutputFormat;
  readonly headers: boolean;
}

/** `swarmctl events`. */
export function eventsCommand(cli: Cli): Command {
  return defineCommand({
    name: 'events',
    summary: 'What happened in the last hour',
    examples: [
      ['Everything, and go on', 'swarmctl events -w'],
      ['About a service and its tasks', 'swarmctl events --for service/web'],
      ['What went wrong', 'swarmctl events --type warning'],
    ],
  })
    .option('-w, --watch', 'go on with new events')
    .option('--for <kind/name>', 'only about this object; for a service also about its tasks')
    .addOption(new Option('--type <type>', 'only of this type').choices(['normal', 'warning']))
    .addOption(new Option('-o, --output <format>', 'form').choices(OUTPUT_FORMATS))
    .option('--no-headers', 'leave the headings out')
    .action((options: EventsOptions, command: Command) => {
      const target = options.for === undefined ? undefined : parseTarget(options.for);
      return withCluster(cli, command, (session) => events(session, target, options));
    });
}

async function events(
  session: Session,
  target: (Target & { readonly name: string }) | undefined,
  options: EventsOptions,
): Promise<void> {
  const fields = [
    ...(target === undefined ? [] : [await selectorOf(session, target)]),
    ...(options.type === undefined ? [] : [`type=${options.type}`]),
  ];
  await getObjects(session, [{ kind: requireKind('events'), names: [] }], {
    ...options,
    ...(fields.length > 0 && { fieldSelector: fields.join(',') }),
  });
}

/** A service may be gone; its events are not. */
async function selectorOf(
  { api, streams }: Session,
  target: Target & { readonly name: string },
): Promise<string> {
  if (target.kind.kind === 'Service') return `service=${target.name}`;
  const object = await readObject(api, target, streams.interrupted);
  return `regarding.uid=${object.metadata.uid ?? ''}`;
}
