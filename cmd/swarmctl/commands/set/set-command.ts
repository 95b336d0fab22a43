import type { Command } from 'commander';
import type { ContainerSpec, Resources } from '../../../../api/v1/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { UsageError } from '../../exit-code.js';
import { chosenByNameOrLabel, type Chosen, type NamedObject } from '../../objects/named-objects.js';
import { parseTargets, pluralOf } from '../../objects/target.js';
import { namedFailure } from '../../objects/unknown-name.js';
import { WrittenReport } from '../../output/print-written.js';
import { followServices } from '../../progress/follow-services.js';
import { timeoutOption, waitDeadline } from '../timeout-option.js';
import { addWriteOptions, writeOptionsOf, type WriteFlags } from '../write-options.js';

/** Flags of every `set` command. */
export interface SetFlags extends WriteFlags, Chosen {
  readonly wait?: boolean;
  readonly timeout: number;
}

/** A part of the task template as a merge patch: null removes. */
export interface TemplatePatch {
  readonly container?: { readonly [K in keyof ContainerSpec]?: unknown };
  readonly resources?: { readonly [K in keyof Resources]?: unknown };
}

/** Gives a command those flags. */
export function addSetOptions(command: Command): Command {
  command
    .option('-l, --selector <labels>', 'services with these labels instead of names')
    .option('--all', 'all services')
    .option('--wait', 'show progress until all services run as set')
    .addOption(timeoutOption('5m'));
  return addWriteOptions(command);
}

/** Separates what names services from the rest: `service web X`, `service/web X`, `services -l … X`. */
export function splitTargets(words: readonly string[]): {
  readonly targets: readonly string[];
  readonly rest: readonly string[];
} {
  const [first = '', ...others] = words;
  const ends = first.includes('/')
    ? words.findIndex((word) => !/^(services?|svc)\/[^=/:]+$/.test(word))
    : 1 + others.findIndex((word) => /[=:/]|-$/.test(word));
  const count = ends <= 0 ? words.length : ends;
  return { targets: words.slice(0, count), rest: words.slice(count) };
}

/** The services that arguments and flags choose. Errors: UsageError. */
export async function chosenServices(
  session: Session,
  targets: readonly string[],
  flags: Chosen,
): Promise<readonly NamedObject[]> {
  for (const { kind } of parseTargets(targets)) {
    if (kind.kind !== 'Service') {
      throw new UsageError(`a ${kind.singular} has no template of tasks; only services have`);
    }
  }
  return chosenByNameOrLabel(session, targets, flags);
}

/** What a `set` command does with the services it was told. */
export interface Setting {
  readonly targets: readonly string[];
  readonly flags: SetFlags;
  /** Said of a service that was changed: `image updated`. */
  readonly word: string;
  readonly patch: TemplatePatch;
}

/** Patches the template of each service, and follows them when that was asked for. */
export async function setTemplates(cli: Cli, self: Command, setting: Setting): Promise<void> {
  await withCluster(cli, self, async (session) => {
    const { targets, flags } = setting;
    const services = await chosenServices(session, targets, flags);
    const deadline = waitDeadline(session.streams, flags.timeout);
    await patchTemplates(session, services, setting);
    if (!flags.wait || flags.dryRun) return;
    const names = services.map(({ name }) => name);
    await followServices(session, names, deadline);
  });
}

async function patchTemplates(
  { api, streams }: Session,
  services: readonly NamedObject[],
  { flags, word, patch }: Setting,
): Promise<void> {
  const report = new WrittenReport(streams, flags.output, flags.dryRun ?? false);
  const options = writeOptionsOf(flags, streams);
  try {
    for (const { kind, name } of services) {
      const { result, object } = await api
        .patch(pluralOf(kind), name, { spec: { task: patch } }, options)
        .catch(namedFailure(api, kind, name));
      report.add({ kind, name, word: result === 'unchanged' ? result : word, object });
    }
  } finally {
    await report.end();
  }
}
