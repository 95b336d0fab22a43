import { UnavailableError } from '../base/index.js';

/** Bytes of one output stream of a container. */
export interface LogFrame {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
  /** The first bytes of a message that the engine wrote as one. */
  readonly starts: boolean;
}

const HEADER_BYTES = 8;
const STDERR = 2;
/** The engine's own trouble in the middle of a log. */
const SYSTEM_ERROR = 3;

/**
 * Takes the engine's multiplexed stream apart: 8 bytes of header (type, 3 zeros, length), then
 * so many bytes, over and over. A loop without recursion or copying, whatever the chunks are; a
 * long frame is passed on in the pieces in which it comes.
 */
export class LogFrameDecoder {
  /** The beginning of a header that did not come whole. */
  private head = Buffer.alloc(0);
  private type = 0;
  private remaining = 0;
  private starts = false;

  /** Errors: UnavailableError when the bytes are no such stream, or carry the engine's trouble. */
  push(chunk: Buffer): readonly LogFrame[] {
    const frames: LogFrame[] = [];
    let input = this.head.length > 0 ? Buffer.concat([this.head, chunk]) : chunk;
    this.head = Buffer.alloc(0);
    while (input.length > 0) {
      if (this.remaining > 0) {
        const data = input.subarray(0, this.remaining);
        input = input.subarray(data.length);
        frames.push(this.frame(data));
        continue;
      }
      if (input.length < HEADER_BYTES) {
        this.head = Buffer.from(input);
        break;
      }
      this.open(input);
      input = input.subarray(HEADER_BYTES);
    }
    return frames;
  }

  private open(header: Buffer): void {
    const [type = 0] = header;
    if (type > SYSTEM_ERROR || header.readUIntBE(1, 3) !== 0) {
      throw new UnavailableError('the engine sent a log that is not multiplexed');
    }
    this.type = type;
    this.remaining = header.readUInt32BE(4);
    this.starts = true;
  }

  private frame(data: Buffer): LogFrame {
    if (this.type === SYSTEM_ERROR) {
      throw new UnavailableError(`the engine cannot read the log: ${data.toString('utf8').trim()}`);
    }
    const { starts } = this;
    this.remaining -= data.length;
    this.starts = false;
    const stream = this.type === STDERR ? 'stderr' : 'stdout';
    return { stream, data, starts };
  }
}
