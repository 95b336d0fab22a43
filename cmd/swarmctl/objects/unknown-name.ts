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
  const { items } = await api.list(pluralOf(kind)).catch(() => ({ items: [] }));
  const near = nearest(
    name,
    items.map(({ metadata }) => metadata.name),
  );
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return new NotFoundError(`${titleOf(kind, name)} not found${hint}`);
}
