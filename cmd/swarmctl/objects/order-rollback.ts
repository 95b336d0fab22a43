import type { Session } from '../cli.js';
import { readService } from './read-service.js';

/** Orders a service back to the revision before. Errors: NotFoundError; ConflictError when there is none. */
export async function orderRollback(
  session: Pick<Session, 'api' | 'streams'>,
  name: string,
  cause: string | undefined,
): Promise<void> {
  const { api, streams } = session;
  await readService(session, name);
  await api.rollout(name, { action: 'undo' }, { cause, signal: streams.interrupted });
}
