import { NotFoundError, UnavailableError, newUid } from '../../base/index.js';
import { readJsonLines, type PushedLogLine } from '../../client/index.js';
import type { ByteSource } from '../../client/index.js';

/** Takes the lines of a stream, one after the other. */
export type TakeLine = (line: PushedLogLine) => Promise<void>;

/** Somebody who waits for a node to push. */
interface Awaited {
  readonly nodeId: string;
  readonly take: TakeLine;
  arrived(): void;
  ended(error?: unknown): void;
  readonly signal: AbortSignal;
}

const ARRIVAL_TIMEOUT_MS = 10_000;
const MAX_LINE_BYTES = 1024 * 1024;

/** Brings together those who asked a node for lines and the node that pushes them. */
export class PushedStreams {
  private readonly awaited = new Map<string, Awaited>();

  /** Streams that are waited for, or under way. */
  get size(): number {
    return this.awaited.size;
  }

  /**
   * Waits for the node to push the stream that `ask` asks it for, and until its end.
   * Errors: UnavailableError when nothing comes, or the stream breaks; the signal's reason.
   */
  async receive(
    nodeId: string,
    ask: (streamId: string) => void,
    { take, signal }: { readonly take: TakeLine; readonly signal: AbortSignal },
  ): Promise<void> {
    signal.throwIfAborted();
    const streamId = newUid();
    let timer: NodeJS.Timeout | undefined;
    const onAbort = () => {
      this.awaited.get(streamId)?.ended(signal.reason);
    };
    try {
      await new Promise<void>((resolve, reject) => {
        const ended = (error?: unknown) => {
          if (error === undefined) resolve();
          else reject(error instanceof Error ? error : new UnavailableError('the stream broke'));
        };
        const arrived = () => {
          clearTimeout(timer);
        };
        this.awaited.set(streamId, { nodeId, take, arrived, ended, signal });
        timer = setTimeout(() => {
          ended(new UnavailableError('the node did not answer in time'));
        }, ARRIVAL_TIMEOUT_MS);
        signal.addEventListener('abort', onAbort, { once: true });
        ask(streamId);
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.awaited.delete(streamId);
    }
  }

  /**
   * Takes what a node pushes; resolves when all of it was taken, or nobody wants more.
   * Errors: NotFoundError when nobody waits for this stream of this node.
   */
  async accept(nodeId: string, streamId: string, body: ByteSource): Promise<void> {
    const awaited = this.awaited.get(streamId);
    if (awaited?.nodeId !== nodeId) throw new NotFoundError('nobody waits for that stream');
    awaited.arrived();
    try {
      for await (const line of readJsonLines<PushedLogLine>(body, {
        maxLineBytes: MAX_LINE_BYTES,
      })) {
        if (awaited.signal.aborted) return;
        await awaited.take(line);
      }
      awaited.ended();
    } catch (error) {
      awaited.ended(error);
    }
  }
}
