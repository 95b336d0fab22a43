import { StringDecoder } from 'node:string_decoder';
import { UnavailableError } from '../base/index.js';

/** No message of the engine is longer; whatever is, is not from an engine. */
const MAX_LINE_CHARS = 4 * 1024 * 1024;

/**
 * The lines of a text stream, without empty ones, as they come. A last line without newline is a
 * message that was cut, and is dropped. Reads no faster than it is read.
 */
export async function* readLines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const text = decoder.write(chunk);
    if (!text.includes('\n')) {
      rest += text;
      if (rest.length > MAX_LINE_CHARS) throw new UnavailableError('endless line from the engine');
      continue;
    }
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield line;
  }
}
