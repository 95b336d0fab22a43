import { UnavailableError } from '../base/index.js';
import { EngineRefusedError } from './errors.js';

/** The oldest API we speak: Docker 20.10. */
export const OLDEST_API_VERSION = '1.41';
/** The newest API we were written for; a newer engine is asked to behave like this. */
export const NEWEST_API_VERSION = '1.47';

/** Below zero when `left` is older. Numeric by part: 1.9 is older than 1.41. */
export function compareApiVersions(left: string, right: string): number {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number);
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number);
  return leftMajor - rightMajor || leftMinor - rightMinor;
}

/**
 * The version to speak with an engine whose newest is `engineVersion`: the smaller of ours and
 * its. Errors: EngineRefusedError when that is too old, UnavailableError when it is no version.
 */
export function negotiateApiVersion(engineVersion: string | undefined): string {
  if (engineVersion === undefined || !/^\d+\.\d+$/.test(engineVersion)) {
    throw new UnavailableError('what answered the ping does not look like a Docker Engine');
  }
  if (compareApiVersions(engineVersion, OLDEST_API_VERSION) < 0) {
    throw new EngineRefusedError(
      `the engine speaks API ${engineVersion}, needed is ${OLDEST_API_VERSION} or newer (Docker 20.10)`,
    );
  }
  return compareApiVersions(engineVersion, NEWEST_API_VERSION) < 0
    ? engineVersion
    : NEWEST_API_VERSION;
}
