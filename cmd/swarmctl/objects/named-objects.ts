import type { KindDescription, Verb } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { UsageError } from '../exit-code.js';
import { parseTargets, pluralOf, referenceOf } from './target.js';

/** One object, by the name that the user gave. */
export interface NamedObject {
  readonly kind: KindDescription;
  readonly name: string;
}

/** The objects that arguments name, all of kinds with `verb`. Errors: UsageError; also when none is named. */
export function namedObjects(args: readonly string[], verb: Verb): readonly NamedObject[] {
  const objects = parseTargets(args).flatMap(({ kind, names }) =>
    names.map((name) => ({ kind, name })),
  );
  if (objects.length === 0) throw new UsageError('name an object, such as service/web');
  for (const { kind } of objects) requireVerb(kind, verb);
  return objects;
}

/** Which objects of a kind, when they are not named. */
export interface Chosen {
  readonly selector?: string;
  readonly all?: boolean;
}

/**
 * The objects that arguments name, or those of the kind that are chosen by label or all of them.
 * Errors: UsageError when both or neither are said.
 */
export async function chosenByNameOrLabel(
  { api, streams }: Session,
  args: readonly string[],
  { selector, all = false }: Chosen,
): Promise<readonly NamedObject[]> {
  const targets = parseTargets(args);
  const names = targets.flatMap((target) => target.names);
  const ways = [names.length > 0, selector !== undefined, all].filter(Boolean).length;
  if (ways !== 1) throw new UsageError('give names, or -l SELECTOR, or --all: one of them');
  if (names.length > 0) return namedObjects(args, 'patch');
  const lists = targets.map(async ({ kind }) => {
    requireVerb(kind, 'patch');
    const { items } = await api.listAll(pluralOf(kind), {
      signal: streams.interrupted,
      ...(selector !== undefined && { labelSelector: selector }),
    });
    return items.map((object) => ({ kind, name: referenceOf(kind, object) }));
  });
  return (await Promise.all(lists)).flat();
}

function requireVerb(kind: KindDescription, verb: Verb): void {
  if (!kind.verbs.includes(verb)) {
    throw new UsageError(`${kind.plural} are made by the cluster; they cannot be changed`);
  }
}
