import { nearest, type KindDescription } from '../../../api/v1/index.js';
import { NotFoundError, hasCode } from '../../../pkg/base/index.js';
import type { ClusterApi } from '../cluster-api.js';
import { pluralOf, titleOf, type AnyObject } from './target.js';

/** One object. Errors: NotFoundError that suggests a name that is near. */
export async function readObject(
  api: ClusterApi,
  { kind, name }: { readonly kind: KindDescription; readonly name: string },
  signal: AbortSignal,
): Promise<AnyObject> {
  try {
    return await api.get(pluralOf(kind), name, { signal });
  } catch (error) {
    throw hasCode(error, 'ERR_NOT_FOUND') ? await unknownName(api, kind, name) : error;
  }
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
