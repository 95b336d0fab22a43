import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../cli.js';
import { describeObject } from '../describe/index.js';
import { UsageError } from '../exit-code.js';
import { parseTargets, pluralOf, referenceOf, type Target } from '../objects/target.js';
import { readObject } from '../objects/unknown-name.js';
import { defineCommand } from './define-command.js';

/** `swarmctl describe`. */
export function describeCommand(cli: Cli): Command {
  return defineCommand({
    name: 'describe',
    summary: 'Everything about an object: what it does, and why not',
    description:
      'Tells in words what an object should be, what it is, what happened to it, and why tasks wait.',
    examples: [
      ['Why does it not run?', 'swarmctl describe service web'],
      ['What does this task wait for?', 'swarmctl describe task web.2'],
      ['What can this node do?', 'swarmctl describe node worker-1'],
    ],
  })
    .argument('<kind|kind/name>', 'kind of the object')
    .argument('[name...]', 'names, ids or beginnings of ids; default: all')
    .action((kind: string, names: readonly string[], _options: unknown, command: Command) => {
      const targets = parseTargets([kind, ...names]);
      return withCluster(cli, command, (session) => describeAll(session, targets));
    });
}

async function describeAll(session: Session, targets: readonly Target[]): Promise<void> {
  const { api, streams } = session;
  const texts: string[] = [];
  for (const { kind, names } of targets) {
    const wanted = names.length > 0 ? names : await allNames(session, kind);
    for (const name of wanted) {
      const object = await readObject(api, { kind, name }, streams.interrupted);
      texts.push(await describeObject(session, kind, object));
    }
  }
  if (texts.length === 0) throw new UsageError('there is nothing to describe');
  streams.out(texts.join('\n\n'));
}

async function allNames(
  { api, streams }: Session,
  kind: Target['kind'],
): Promise<readonly string[]> {
  const { items } = await api.listAll(pluralOf(kind), { signal: streams.interrupted });
  return items.map((object) => referenceOf(kind, object));
}
