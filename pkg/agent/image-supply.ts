import type { ContainerSpec } from '../../api/v1/index.js';
import { TerminalError, messageOf, type Clock } from '../base/index.js';
import {
  ImagePullError,
  type Engine,
  type ImagePuller,
  type PullProgress,
} from '../engine/index.js';
import { defined } from './defined.js';

/** What is needed to get images onto the node. */
export interface ImageSource {
  readonly engine: Pick<Engine, 'inspectImage'>;
  readonly images: Pick<ImagePuller, 'pull'>;
  readonly clock: Clock;
}

/** Follows a pull. */
export interface ImageOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (message: string) => void;
}

/**
 * The many tasks of one deployment arrive within moments; what the registry said to the first of them
 * holds for the others.
 */
const FRESH_MS = 5_000;

/** Gets images onto the node, once for all who need one at about the same time. */
export class ImageSupply {
  private readonly looks = new Map<string, Promise<boolean>>();
  /** When an image was last made sure of, by what was asked for. */
  private readonly ensuredAt = new Map<string, number>();

  constructor(private readonly source: ImageSource) {}

  /**
   * Makes sure that the engine has the image, by the pull policy. As in Docker a failed pull is forgiven
   * when the image is there, and an image named by digest is not pulled again.
   * Errors: ImagePullError; TerminalError ImageNotPresent under policy `never`.
   */
  async ensure(container: ContainerSpec, options: ImageOptions): Promise<void> {
    const key = keyOf(container);
    if (this.isFresh(key)) return;
    const { image, pullPolicy = 'always' } = container;
    const present = await this.isPresent(image);
    options.signal.throwIfAborted();
    if (!present || (pullPolicy === 'always' && !image.includes('@sha256:'))) {
      await this.pull(container, options, present);
    }
    this.ensuredAt.set(key, this.source.clock.monotonicMs());
  }

  /** The engine says that the image is gone: look again next time. */
  forget(container: ContainerSpec): void {
    this.ensuredAt.delete(keyOf(container));
  }

  private isFresh(key: string): boolean {
    const nowMs = this.source.clock.monotonicMs();
    for (const [other, atMs] of this.ensuredAt) {
      if (nowMs - atMs > FRESH_MS) this.ensuredAt.delete(other);
    }
    return this.ensuredAt.has(key);
  }

  private isPresent(image: string): Promise<boolean> {
    const shared = this.looks.get(image);
    if (shared) return shared;
    const look = this.source.engine
      .inspectImage(image)
      .then((found) => found !== undefined)
      .finally(() => this.looks.delete(image));
    this.looks.set(image, look);
    return look;
  }

  private async pull(
    { image, pullPolicy, platform }: ContainerSpec,
    { signal, onProgress }: ImageOptions,
    present: boolean,
  ): Promise<void> {
    if (pullPolicy === 'never') {
      const text = `image ${image} is not on this node and pullPolicy is never`;
      throw new TerminalError('ImageNotPresent', text);
    }
    onProgress(`pulling image ${image}`);
    const follow = (step: PullProgress) => {
      onProgress(wordsOf(image, step));
    };
    try {
      await this.source.images.pull(image, defined({ platform, signal, onProgress: follow }));
    } catch (error) {
      if (!present || !(error instanceof ImagePullError)) throw error;
      onProgress(`using the image on this node: ${messageOf(error)}`);
    }
  }
}

const keyOf = ({ image, pullPolicy = 'always', platform = '' }: ContainerSpec): string =>
  [pullPolicy, platform, image].join(' ');

function wordsOf(image: string, progress: PullProgress): string {
  const { downloadedBytes, totalBytes, layersDone, layersTotal } = progress;
  const percent = totalBytes > 0 ? Math.floor((100 * downloadedBytes) / totalBytes) : undefined;
  const share = percent === undefined ? '' : ` ${String(percent)} %`;
  return `pulling image ${image}:${share} (${String(layersDone)} of ${String(layersTotal)} layers)`;
}
