import type { Service } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { requireKind } from './target.js';
import { namedFailure } from './unknown-name.js';

/** A service by name. Errors: NotFoundError that suggests one. */
export async function readService(
  { api, streams }: Pick<Session, 'api' | 'streams'>,
  name: string,
): Promise<Service> {
  return api
    .get('services', name, { signal: streams.interrupted })
    .catch(namedFailure(api, requireKind('service'), name));
}
