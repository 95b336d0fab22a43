import { NotFoundError, UnavailableError } from '../base/index.js';
import type { CallOptions } from './call.js';
import { decodeImage } from './decode.js';
import { errorOfConnection } from './engine-errors.js';
import type { ImageInspection, PullOptions, RegistryAuth } from './image.js';
import { PullProgressTracker } from './pull-progress.js';
import { imagePullError } from './pull-errors.js';
import { readLines } from './read-lines.js';
import type { EngineTimeouts } from './timeouts.js';
import type { EngineTransport } from './transport.js';
import type { WireImage, WirePullMessage } from './wire.js';

/** Images of one engine. */
export class EngineImages {
  constructor(
    private readonly transport: EngineTransport,
    private readonly timeouts: EngineTimeouts,
  ) {}

  async inspect(
    reference: string,
    { signal, timeoutMs = this.timeouts.inspectMs }: CallOptions = {},
  ): Promise<ImageInspection | undefined> {
    try {
      const { body } = await this.transport.call({
        operation: 'inspect image',
        method: 'GET',
        path: `/images/${encodeReference(reference)}/json`,
        timeoutMs,
        ...(signal && { signal }),
      });
      return decodeImage(body as WireImage);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  /** See `Engine.pullImage`. */
  async pull(reference: string, options: PullOptions = {}): Promise<ImageInspection> {
    try {
      await this.transfer(reference, options);
    } catch (error) {
      throw errorOfConnection('pull image', error, options.signal);
    }
    // The stream's end proves nothing: the image does.
    const image = await this.inspect(reference, options.signal && { signal: options.signal });
    if (image) return image;
    const words = 'the engine reported success but does not have the image';
    throw imagePullError(reference, words, options);
  }

  private async transfer(reference: string, options: PullOptions): Promise<void> {
    const { auth, platform, signal, onProgress } = options;
    const response = await this.transport.stream({
      operation: 'pull image',
      method: 'POST',
      path: '/images/create',
      query: { ...splitReference(reference), ...(platform !== undefined && { platform }) },
      ...(auth && { headers: { 'X-Registry-Auth': encodeAuth(auth) } }),
      errorOf: ({ message }) => imagePullError(reference, message, options),
      timeoutMs: this.timeouts.pullIdleMs,
      ...(signal && { signal }),
    });
    const progress = new PullProgressTracker();
    const watchdog = setTimeout(() => {
      const message = `no progress of the pull for ${this.timeouts.pullIdleMs} ms`;
      response.destroy(new UnavailableError(message));
    }, this.timeouts.pullIdleMs);
    try {
      for await (const line of readLines(response)) {
        watchdog.refresh();
        const message = JSON.parse(line) as WirePullMessage;
        const words = message.errorDetail?.message ?? message.error;
        if (words !== undefined) throw imagePullError(reference, words, options);
        onProgress?.(progress.update(message));
      }
    } finally {
      clearTimeout(watchdog);
      response.destroy();
    }
  }
}

/**
 * Name and tag as the engine wants them. Without a tag it would pull every tag of the repository,
 * so `latest` is spelled out.
 */
export function splitReference(reference: string): { fromImage: string; tag: string } {
  const digestAt = reference.indexOf('@');
  if (digestAt !== -1) {
    return { fromImage: reference.slice(0, digestAt), tag: reference.slice(digestAt + 1) };
  }
  const colonAt = reference.lastIndexOf(':');
  if (colonAt === -1 || reference.includes('/', colonAt)) {
    return { fromImage: reference, tag: 'latest' };
  }
  return { fromImage: reference.slice(0, colonAt), tag: reference.slice(colonAt + 1) };
}

/** Slashes of a repository stay slashes; everything else that a path could trip over goes. */
function encodeReference(reference: string): string {
  return reference.split('/').map(encodeURIComponent).join('/');
}

function encodeAuth(auth: RegistryAuth): string {
  if ('encoded' in auth) return auth.encoded;
  const { serverAddress, ...rest } = auth;
  const credentials =
    'identityToken' in rest
      ? { identitytoken: rest.identityToken }
      : { username: rest.username, password: rest.password };
  const server = serverAddress === undefined ? {} : { serveraddress: serverAddress };
  return Buffer.from(JSON.stringify({ ...credentials, ...server })).toString('base64url');
}
