import { createHash } from 'node:crypto';
import { abortReason } from '../base/index.js';
import type { Engine } from './engine.js';
import type { ImageInspection, PullOptions, PullProgress } from './image.js';

/** What the puller needs of an engine. */
type PullingEngine = Pick<Engine, 'pullImage'>;

type ProgressListener = (progress: PullProgress) => void;

/** A pull under way, and those who wait for it. */
class SharedPull {
  readonly controller = new AbortController();
  readonly listeners = new Set<ProgressListener>();
  waiting = 0;
  latest: PullProgress | undefined;
  readonly done: Promise<ImageInspection>;

  constructor(pull: (shared: SharedPull) => Promise<ImageInspection>) {
    this.done = pull(this);
  }

  tell(progress: PullProgress): void {
    this.latest = progress;
    for (const listener of this.listeners) listener(progress);
  }
}

/**
 * Pulls each image once, however many ask for it at the same time. Everyone sees the progress;
 * one who leaves does not stop the others; the last one who leaves stops the pull. Those with other
 * credentials or another platform have a pull of their own.
 */
export class ImagePuller {
  private readonly pulls = new Map<string, SharedPull>();

  constructor(private readonly engine: PullingEngine) {}

  /** How many pulls are under way. */
  get active(): number {
    return this.pulls.size;
  }

  /** As `Engine.pullImage`. Who joins late is told at once how far it is. */
  async pull(reference: string, options: PullOptions = {}): Promise<ImageInspection> {
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    const key = pullKey(reference, options);
    const shared = this.pulls.get(key) ?? this.begin(key, reference, options);
    // A function of its own for each, so that two callers may pass the same one.
    const listener: ProgressListener = (progress) => onProgress?.(progress);
    shared.listeners.add(listener);
    shared.waiting += 1;
    try {
      if (shared.latest) listener(shared.latest);
      return await untilAborted(shared.done, signal);
    } finally {
      shared.listeners.delete(listener);
      shared.waiting -= 1;
      if (shared.waiting === 0) this.leave(key, shared);
    }
  }

  private begin(key: string, reference: string, { auth, platform }: PullOptions): SharedPull {
    const shared = new SharedPull((pull) =>
      this.engine.pullImage(reference, {
        ...(auth && { auth }),
        ...(platform !== undefined && { platform }),
        signal: pull.controller.signal,
        onProgress: (progress) => {
          pull.tell(progress);
        },
      }),
    );
    this.pulls.set(key, shared);
    const forget = () => {
      if (this.pulls.get(key) === shared) this.pulls.delete(key);
    };
    shared.done.then(forget, forget);
    return shared;
  }

  private leave(key: string, shared: SharedPull): void {
    if (this.pulls.get(key) === shared) this.pulls.delete(key);
    shared.controller.abort(new Error('nobody waits for this pull any more'));
  }
}

/** Credentials are part of the key, hashed: they must not lie about as a map's key. */
function pullKey(reference: string, { platform = '', auth }: PullOptions): string {
  const credentials = auth ? JSON.stringify(Object.entries(auth).sort()) : '';
  const digest = createHash('sha256').update(credentials).digest('base64url');
  return [reference, platform, digest].join(' ');
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      reject(abortReason(signal));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}
