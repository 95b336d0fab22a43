import type { Session } from '../cli.js';

/** The same session, without a word about progress. Errors are still told. */
export function quietly(session: Session): Session {
  return { ...session, streams: { ...session.streams, out: () => undefined, isTerminal: false } };
}
