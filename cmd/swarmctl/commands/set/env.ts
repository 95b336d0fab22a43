import type { Command } from 'commander';
import type { Service } from '../../../../api/v1/index.js';
import { withCluster, type Cli } from '../../cli.js';
import { readEnvironment } from '../../docker/environment.js';
import { UsageError } from '../../exit-code.js';
import { readService } from '../../objects/read-service.js';
import { collect, defineCommand } from '../define-command.js';
import {
  addSetOptions,
  chosenServices,
  setTemplates,
  splitTargets,
  type SetFlags,
} from './set-command.js';

interface EnvFlags extends SetFlags {
  readonly envFile?: readonly string[];
  readonly list?: boolean;
}

/** `swarmctl set env`. */
export function setEnvCommand(cli: Cli): Command {
  const command = defineCommand({
    name: 'env',
    summary: 'Set or remove environment variables of services',
    examples: [
      ['Set one, remove another', 'swarmctl set env service/web LOG_LEVEL=debug OLD-'],
      ['From a file', 'swarmctl set env service/web --env-file web.env'],
      ['What is set', 'swarmctl set env service/web --list'],
    ],
  })
    .argument(
      '<service...>',
      'service/NAME or service NAME; then NAME=VALUE to set, NAME- to remove',
    )
    .option('--env-file <file>', 'variables of a file; may be repeated', collect)
    .option('--list', 'show what is set, and change nothing');
  return addSetOptions(command).action(
    (words: readonly string[], flags: EnvFlags, self: Command) => {
      const { targets, rest } = splitTargets(words);
      if (flags.list) {
        if (rest.length > 0)
          throw new UsageError('--list changes nothing; leave the variables out');
        return list(cli, self, targets, flags);
      }
      const env = variablesOf(rest, flags.envFile ?? [], cli);
      return setTemplates(cli, self, {
        targets,
        flags,
        word: 'env updated',
        patch: { container: { env } },
      });
    },
  );
}

/** A JSON merge patch: null removes. Errors: UsageError. */
function variablesOf(
  words: readonly string[],
  files: readonly string[],
  { streams }: Cli,
): Readonly<Record<string, string | null>> {
  const removed = words.filter((word) => /^[^=]+-$/.test(word)).map((word) => word.slice(0, -1));
  const set = words.filter((word) => !/^[^=]+-$/.test(word));
  const odd = set.find((word) => !/^[^=]+=/.test(word));
  if (odd !== undefined) {
    throw new UsageError(`"${odd}" is neither NAME=VALUE nor NAME-`);
  }
  const given = readEnvironment(files, set, streams.env);
  const twice = removed.find((name) => name in given);
  if (twice !== undefined) throw new UsageError(`${twice} is both set and removed`);
  if (Object.keys(given).length + removed.length === 0) {
    throw new UsageError('name a variable to set or to remove', 'Such as LOG_LEVEL=debug or OLD-.');
  }
  const gone = removed.map((name) => [name, null] as const); // RFC 7386: null removes
  return { ...given, ...Object.fromEntries(gone) };
}

function list(cli: Cli, self: Command, targets: readonly string[], flags: EnvFlags): Promise<void> {
  return withCluster(cli, self, async (session) => {
    const named = await chosenServices(session, targets, flags);
    const services = await Promise.all(named.map(({ name }) => readService(session, name)));
    session.streams.out(services.map(envWords).join(''));
  });
}

function envWords({ metadata, spec }: Service): string {
  const { env = {} } = spec.task.container;
  const lines = Object.entries(env).map(([name, value]) => `${name}=${String(value)}`);
  lines.sort();
  return [`# service/${metadata.name}`, ...lines].map((line) => `${line}\n`).join('');
}
