import { hasCode, isRecoverable, type Clock } from '../../pkg/base/index.js';
import { ImagePullError, type Engine } from '../../pkg/engine/index.js';
import type { PullOutcome } from '../../pkg/metrics/index.js';

/** Told how each pull ended. */
interface PullObserver {
  onPull(outcome: PullOutcome, durationMs: number): void;
}

/** The pulls of an engine, each told to `observer`. */
export function observedPulls(
  engine: Pick<Engine, 'pullImage'>,
  clock: Clock,
  observer: PullObserver,
): Pick<Engine, 'pullImage'> {
  return {
    pullImage: async (...args) => {
      const beganMs = clock.monotonicMs();
      let outcome: PullOutcome = 'success';
      try {
        return await engine.pullImage(...args);
      } catch (error) {
        outcome = outcomeOf(error);
        throw error;
      } finally {
        observer.onPull(outcome, clock.monotonicMs() - beganMs);
      }
    },
  };
}

function outcomeOf(error: unknown): PullOutcome {
  if (error instanceof ImagePullError && error.reason === 'ImageNotFound') return 'not-found';
  if (error instanceof ImagePullError && error.reason === 'RegistryUnauthorized') return 'denied';
  return isRecoverable(error) || hasCode(error, 'ERR_UNAVAILABLE') ? 'unavailable' : 'error';
}
