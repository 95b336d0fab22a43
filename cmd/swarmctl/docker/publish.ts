import type { Port } from '../../../api/v1/index.js';
import { keyValue, parseCsv } from './csv.js';
import { integerValue, invalidArgument, oneOf } from './values.js';

const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;
type Protocol = (typeof PROTOCOLS)[number];

/**
 * Reads `published=8080,target=80,mode=host` or the short `8080:80/udp`, ranges included. Errors:
 * UsageError in Docker's words; the ingress mode, which the short form means, is not supported yet.
 */
export function parsePublish(text: string): Port {
  return text.includes('=') ? longForm(text) : shortForm(text);
}

/**
 * Reads which ports `--publish-rm` means: `80`, `80/udp`, `8080:80`, or the long form. What is not said may be
 * anything, but the protocol: that is tcp. Errors: UsageError in Docker's words.
 */
export function parseUnpublish(text: string): (port: Port) => boolean {
  const wanted = text.includes('=') ? fieldsOf(text) : shortFields(text);
  const { target, published, protocol = 'tcp', mode } = wanted;
  if (target === undefined) {
    throw invalidArgument('publish-rm', text, 'missing mandatory field "target"');
  }
  const targets = rangeOf(text, target);
  const publishedPorts = published === undefined ? undefined : rangeOf(text, published);
  return (port) =>
    targets.includes(port.target) &&
    (port.protocol ?? 'tcp') === protocol &&
    (mode === undefined || (port.mode ?? 'ingress') === mode) &&
    (publishedPorts === undefined || publishedPorts.includes(port.published ?? 0));
}

/** `8080:80/udp` by its parts. */
function shortFields(text: string): Readonly<Record<string, string>> {
  const [, published, target, protocol] = /^(?:([^/:]+):)?([^:/]+)(?:\/([^/]+))?$/.exec(text) ?? [];
  if (target === undefined) throw invalidArgument('publish-rm', text, `invalid port: ${text}`);
  return {
    target,
    ...(published !== undefined && { published }),
    ...(protocol !== undefined && { protocol: oneOf('publish-rm', protocol, PROTOCOLS) }),
  };
}

/** The long form by its fields. */
function fieldsOf(text: string): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const field of parseCsv(text)) {
    const [key, value] = keyValue(field);
    if (value === undefined) {
      throw invalidArgument('publish', text, `invalid field ${field}: must be a key=value pair`);
    }
    if (!['mode', 'target', 'published', 'protocol'].includes(key)) {
      throw invalidArgument('publish', text, `invalid field key ${key}`);
    }
    fields[key] = value;
  }
  return fields;
}

function longForm(text: string): Port {
  const { mode = 'ingress', target, published, protocol } = fieldsOf(text);
  if (target === undefined)
    throw invalidArgument('publish', text, 'missing mandatory field "target"');
  const port = {
    target: portNumber(text, target),
    ...(published !== undefined && { published: portNumber(text, published) }),
    protocol: oneOf('publish', protocol ?? 'tcp', PROTOCOLS),
  };
  if (oneOf('publish', mode, ['host', 'ingress']) === 'ingress') throw noIngress(text, port);
  return { ...port, mode: 'host' };
}

function shortForm(text: string): never {
  const match = /^(?:([^/]*):)?([^:/]+)(?:\/([^/]+))?$/.exec(text);
  if (match === null) throw invalidArgument('publish', text, `invalid port: ${text}`);
  const [, host, container = '', protocolText = 'tcp'] = match;
  const protocol = oneOf('publish', protocolText, PROTOCOLS);
  if (host?.includes(':')) throw invalidArgument('publish', text, 'hostip is not supported');
  throw noIngress(text, { ...firstOfRanges(text, host, container), protocol });
}

/** The first pair of ports of `8000-8005:80-85`. */
function firstOfRanges(text: string, host: string | undefined, container: string) {
  const targets = rangeOf(text, container);
  const published = host === undefined ? undefined : rangeOf(text, host);
  if (published !== undefined && published.length !== targets.length) {
    throw invalidArgument('publish', text, 'ranges of ports must be of the same length');
  }
  const [target = 0] = targets;
  const first = published?.[0];
  return { target, ...(first !== undefined && { published: first }) };
}

/** Every port of a range such as `8000-8005`. */
function rangeOf(text: string, range: string): readonly number[] {
  const [from = '', to = from] = range.split('-');
  const [first, last] = [portNumber(text, from), portNumber(text, to)];
  if (last < first) throw invalidArgument('publish', text, `invalid range: ${range}`);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function portNumber(text: string, port: string): number {
  const value = /^\d+$/.test(port) ? integerValue('publish', port) : 0;
  if (value < 1 || value > 65535) {
    throw invalidArgument('publish', text, `invalid port "${port}": expected 1 to 65535`);
  }
  return value;
}

function noIngress(
  text: string,
  { target, published, protocol }: { target: number; published?: number; protocol: Protocol },
) {
  const parts = [
    ...(published === undefined ? [] : [`published=${String(published)}`]),
    `target=${String(target)}`,
    ...(protocol === 'tcp' ? [] : [`protocol=${protocol}`]),
    'mode=host',
  ];
  return invalidArgument(
    'publish',
    text,
    `mode ingress is not supported yet; write --publish ${parts.join(',')}`,
  );
}
