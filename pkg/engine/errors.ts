import { Recoverable, SwarmError } from '../base/index.js';

/**
 * The engine understood and will not or cannot do it: a container in the wrong state, a port
 * that is taken, a device that is not there. Doing the same again at once would end the same.
 */
export class EngineRefusedError extends SwarmError {
  readonly code = 'ERR_ENGINE_REFUSED';
}

/** Why an image could not be pulled. */
export type ImagePullReason =
  /** The registry does not have it (or hides it from those without credentials). */
  | 'ImageNotFound'
  | 'InvalidImageReference'
  /** There is no variant for this machine. */
  | 'ImagePlatformMismatch'
  | 'RegistryUnauthorized'
  | 'RegistryUnreachable'
  | 'RegistryRateLimited'
  | 'EngineDiskFull'
  | 'ImagePullFailed';

const TEMPORARY: ReadonlySet<ImagePullReason> = new Set([
  'RegistryUnreachable',
  'RegistryRateLimited',
  'EngineDiskFull',
  'ImagePullFailed',
]);

/** An image could not be pulled. Recoverable (see pkg/base) exactly when `temporary`. */
export class ImagePullError extends SwarmError {
  readonly code = 'ERR_IMAGE_PULL';
  /** The same pull may succeed later without anybody changing the spec. */
  readonly temporary: boolean;

  constructor(
    readonly reason: ImagePullReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.temporary = TEMPORARY.has(reason);
    if (this.temporary) Object.defineProperty(this, Recoverable, { value: true });
  }
}
