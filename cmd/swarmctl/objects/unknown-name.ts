import { nearest, type KindDescription } from '../../../api/v1/index.js';
import { NotFoundError, hasCode } from '../../../pkg/base/index.js';
import type { ReadOptions } from '../../../pkg/client/index.js';
import type { ClusterApi } from '../cluster-api.js';
import { pluralOf, titleOf, type AnyObject } from './target.js';

/** One object. Errors: NotFoundError that suggests a name that is near. */
export async function readObject(
  api: ClusterApi,
  { kind, name }: { readonly kind: KindDescription; readonly name: string },
  options: AbortSignal | ReadOptions,
): Promise<AnyObject> {
  const given = options instanceof AbortSignal ? { signal: options } : options;
  return api.get(pluralOf(kind), name, given).catch(namedFailure(api, kind, name));
}

/** For a call about one object: a name that nothing has is told with one that is near. */
export function namedFailure(
  api: ClusterApi,
  kind: KindDescription,
  name: string,
): (error: unknown) => Promise<never> {
  return async (error) => {
    throw hasCode(error, 'ERR_NOT_FOUND') ? await unknownName(api, kind, name) : error;
  };
}

/** What to say about a name that nothing has. */
export async function unknownName(
  api: ClusterApi,
  kind: KindDescription,
  name: string,
): Promise<NotFoundError> {
  const { items } = await api.list(pluralOf(kind)).catch(() => ({ items: undefined }));
  const names = items?.map(({ metadata }) => metadata.name);
  return new NotFoundError(`${titleOf(kind, name)} not found${whatThereIs(kind, name, names)}`);
}

function whatThereIs(
  { plural }: KindDescription,
  name: string,
  names: readonly string[] | undefined,
): string {
  if (names?.length === 0) return `: there are no ${plural}`;
  const near = nearest(name, names ?? []);
  return near === undefined ? `; see \`swarmctl get ${plural}\`` : `; did you mean ${near}?`;
}
