import type { Service } from '../../../api/v1/index.js';
import { hasCode } from '../../../pkg/base/index.js';
import type { Session } from '../cli.js';
import { requireKind } from './target.js';
import { unknownName } from './unknown-name.js';

/** A service by name. Errors: NotFoundError that suggests one. */
export async function readService(
  { api, streams }: Pick<Session, 'api' | 'streams'>,
  name: string,
): Promise<Service> {
  try {
    return await api.get('services', name, { signal: streams.interrupted });
  } catch (error) {
    throw hasCode(error, 'ERR_NOT_FOUND')
      ? await unknownName(api, requireKind('service'), name)
      : error;
  }
}
