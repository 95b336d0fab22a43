import type { KindDescription } from '../../../api/v1/index.js';
import { UnavailableError, hasCode } from '../../../pkg/base/index.js';
import type { Session } from '../cli.js';
import type { Deadline } from '../commands/timeout-option.js';
import { WaitTimeoutError } from '../exit-code.js';
import { pluralOf, referenceOf, titleOf, type AnyObject } from './target.js';

/** How often to look, in milliseconds. Deletion is told by absence, so a look is the surest. */
const LOOK_EVERY_MS = 200;

/**
 * Waits until this very object (not a later one of its name) is gone; managers may be out of reach meanwhile.
 * Errors: WaitTimeoutError; UnavailableError when none could be reached at the end.
 */
export async function awaitGone(
  { api, streams }: Session,
  kind: KindDescription,
  object: AnyObject,
  deadline: Deadline,
): Promise<void> {
  const name = referenceOf(kind, object);
  const { clock, interrupted } = streams;
  for (;;) {
    let outage: Error | undefined;
    try {
      const found = await api.get(pluralOf(kind), name, { signal: interrupted });
      if (found.metadata.uid !== object.metadata.uid) return;
    } catch (error) {
      if (hasCode(error, 'ERR_NOT_FOUND')) return;
      if (!(error instanceof UnavailableError)) throw error;
      outage = error;
    }
    if (clock.monotonicMs() >= deadline.atMs) {
      if (outage !== undefined) throw outage;
      throw new WaitTimeoutError(
        `${titleOf(kind, object.metadata.name)} is still there after ${String(deadline.timeoutMs / 1000)} s; it goes on being deleted`,
      );
    }
    await clock.sleep(LOOK_EVERY_MS, interrupted);
  }
}
