import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { BadRequestError, TooLargeError, messageOf } from '../../base/index.js';

/** A body that takes longer than this is not waited for. */
const BODY_TIMEOUT_MS = 15_000;

/** JSON is read whole, lines (NDJSON) are passed on as they come; anything else is refused. */
export function addBodyParsers(
  app: Pick<FastifyInstance, 'addContentTypeParser' | 'removeAllContentTypeParsers'>,
): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/json', 'application/merge-patch+json', 'application/json-patch+json'],
    async (
      request: { readonly routeOptions: { readonly bodyLimit: number } },
      body: IncomingMessage,
    ) => parseJson(await readText(body, request.routeOptions.bodyLimit)),
  );
  app.addContentTypeParser('application/x-ndjson', (_request, body, done) => {
    done(null, body);
  });
}

async function readText(body: IncomingMessage, limit: number): Promise<string> {
  if (Number(body.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  const timer = setTimeout(() => {
    body.destroy(new BadRequestError('the body took too long to come'));
  }, BODY_TIMEOUT_MS);
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    clearTimeout(timer);
  }
}

const tooLarge = (limit: number) =>
  new TooLargeError(`the body has more than ${String(limit)} bytes`);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadRequestError(`the body is not JSON: ${messageOf(error)}`);
  }
}
