import { Option, type Command } from 'commander';
import { withCluster, type Cli, type Session } from '../cli.js';
import type { EditFormat } from '../edit/edit-buffer.js';
import { editObject } from '../edit/edit-object.js';
import { namedObjects, type NamedObject } from '../objects/named-objects.js';
import { titleOf } from '../objects/target.js';
import { followServices } from '../progress/follow-services.js';
import { defineCommand } from './define-command.js';
import { timeoutOption, waitDeadline } from './timeout-option.js';

interface EditFlags {
  readonly output: EditFormat;
  readonly message?: string;
  readonly wait?: boolean;
  readonly timeout: number;
}

/** `swarmctl edit`. */
export function editCommand(cli: Cli): Command {
  return defineCommand({
    name: 'edit',
    summary: 'Change an object in an editor',
    description:
      'Opens the object in $SWARMCTL_EDITOR, $VISUAL, $EDITOR or vi. What is wrong is shown above the text, which is opened again; what cannot be written stays in its file. An empty or unchanged text changes nothing.',
    examples: [
      ['A service', 'swarmctl edit service web'],
      [
        'With another editor, and see it happen',
        "EDITOR='code --wait' swarmctl edit service/web --wait",
      ],
    ],
  })
    .argument('<kind|kind/name>', 'kind of the object')
    .argument('[name...]', 'names, ids or beginnings of ids')
    .addOption(
      new Option('-o, --output <format>', 'form of the text')
        .choices(['yaml', 'json'])
        .default('yaml'),
    )
    .option('-m, --message <why>', 'why; kept with the change and shown by its history')
    .option('--wait', 'show progress until all services run as changed')
    .addOption(timeoutOption('5m'))
    .action((kind: string, names: readonly string[], flags: EditFlags, self: Command) => {
      const objects = namedObjects([kind, ...names], 'patch');
      return withCluster(cli, self, (session) => editAll(session, objects, flags));
    });
}

async function editAll(
  session: Session,
  objects: readonly NamedObject[],
  { output, message, wait, timeout }: EditFlags,
): Promise<void> {
  const { streams } = session;
  const changed: string[] = [];
  for (const named of objects) {
    const write = { cause: message, signal: streams.interrupted };
    const outcome = await editObject(session, { named, format: output, write });
    if (outcome === undefined) {
      streams.err('nothing was changed\n');
      continue;
    }
    const { name } = outcome.object.metadata;
    streams.out(`${titleOf(named.kind, name)} edited\n`);
    if (named.kind.kind === 'Service') changed.push(name);
  }
  if (wait) await followServices(session, changed, waitDeadline(streams, timeout));
}
