import { KINDS, type KindDescription } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { UsageError } from '../exit-code.js';
import type { Declared } from './declared.js';
import { labelSelector } from './label-selector.js';
import { pluralOf, type AnyObject } from './target.js';

/** Flags that choose what an apply is about, and what of it goes when no file declares it any more. */
export interface PruneFlags {
  readonly prune?: boolean;
  readonly selector?: string;
  readonly all?: boolean;
}

/** An object that came from a file and is in none any more. */
export interface Leftover {
  readonly kind: KindDescription;
  readonly object: AnyObject;
}

/** Errors: UsageError when it is not said what may be pruned. */
export function checkPruneFlags({ prune = false, selector, all = false }: PruneFlags): void {
  if (selector !== undefined) labelSelector(selector);
  if (all && !prune) throw new UsageError('--all is for --prune only');
  if (prune && all === (selector !== undefined)) {
    throw new UsageError(
      '--prune needs either -l SELECTOR or --all',
      'It deletes what was applied, has these labels and is in none of the files any more.',
    );
  }
}

/** The objects of files that the selector chooses; of the others it is told that they are left out. */
export function chosenObjects<T extends Declared>(
  { streams }: Session,
  declared: readonly T[],
  { selector }: PruneFlags,
): readonly T[] {
  if (selector === undefined) return declared;
  const fits = labelSelector(selector);
  return declared.filter(({ title, value }) => {
    const { labels } = value.metadata as { readonly labels?: Readonly<Record<string, string>> };
    const isChosen = fits(labels);
    if (!isChosen) streams.err(`${title} skipped: its labels are not ${selector}\n`);
    return isChosen;
  });
}

/**
 * What was applied once, is chosen and is not declared any more; of the kinds that come and go by files. What was
 * made in other ways (`service create`, a cron job's runs) is never among them.
 */
export async function leftovers(
  { api, streams }: Session,
  declared: readonly Declared[],
  { selector }: PruneFlags,
): Promise<readonly Leftover[]> {
  const kept = new Set(declared.map(({ title }) => title));
  const kinds = KINDS.filter(({ verbs }) => verbs.includes('create') && verbs.includes('delete'));
  const found = await Promise.all(
    kinds.map(async (kind) => {
      const { items } = await api.listAll(pluralOf(kind), {
        showApplied: true,
        signal: streams.interrupted,
        ...(selector !== undefined && { labelSelector: selector }),
      });
      return items
        .filter((object) => 'applied' in object && object.metadata.deletingAt === undefined)
        .filter(({ metadata }) => !kept.has(`${kind.singular}/${metadata.name}`))
        .map((object) => ({ kind, object }));
    }),
  );
  return found.flat();
}

/** Deletes a leftover, unless it was changed since it was looked at. Errors: ConflictError. */
export async function deleteLeftover(
  { api, streams }: Session,
  { kind, object }: Leftover,
  dryRun: boolean,
): Promise<void> {
  const { name, version } = object.metadata;
  await api.delete(pluralOf(kind), name, {
    dryRun,
    signal: streams.interrupted,
    ...(version !== undefined && { version }),
  });
}
