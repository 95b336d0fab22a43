import { parseDurationMs } from '../../api/v1/index.js';

/** An address to listen at or to call. */
export interface HostPort {
  readonly host: string;
  /** 0 to 65535; 0 means any free one, for listeners. */
  readonly port: number;
}

/** As it would be typed, with an IPv6 address in brackets. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${String(port)}` : `${host}:${String(port)}`;
}

/** The outcome of reading one text: a value, or what was expected instead. */
export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly expected: string };

/** Reads the text of one option. */
export type Parser<T> = (text: string) => Parsed<T>;

const good = <T>(value: T): Parsed<T> => ({ ok: true, value });
const bad = (expected: string): Parsed<never> => ({ ok: false, expected });

/** Any text that is not empty; `pattern` restricts it, and then `expected` describes it. */
export function parseString(pattern?: RegExp, expected = 'some text'): Parser<string> {
  return (text) => (text !== '' && (pattern?.test(text) ?? true) ? good(text) : bad(expected));
}

const HOST_PORT = /^(?:\[(?<six>[0-9A-Fa-f:.]+)\]|(?<host>[^:[\]/\s]*)):(?<port>\d{1,5})$/;
const MAX_PORT = 65_535;

/** `host:port`, `[v6]:port`, or `:port` for all addresses of this machine. */
export const parseHostPort: Parser<HostPort> = (text) => {
  const { six, host, port } = HOST_PORT.exec(text)?.groups ?? {};
  if (port === undefined || Number(port) > MAX_PORT) {
    return bad('host:port with a port up to 65535, such as 0.0.0.0:2377 or [::1]:2377');
  }
  return good({
    host: six ?? (host === undefined || host === '' ? '0.0.0.0' : host),
    port: Number(port),
  });
};

/** What a number may be; both ends count. */
export interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** A whole number within a range. */
export function parseInteger({ min = 0, max = Number.MAX_SAFE_INTEGER }: Range): Parser<number> {
  const expected =
    max === Number.MAX_SAFE_INTEGER
      ? `a whole number from ${String(min)}`
      : `a whole number from ${String(min)} to ${String(max)}`;
  return (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
    return value >= min && value <= max ? good(value) : bad(expected);
  };
}

/** The ends of a duration option, as people write them: `1s`. */
export interface DurationRange {
  readonly min?: string;
  readonly max?: string;
}

/** A duration such as `10s`, `1m30s` or `1h`, in milliseconds. */
export function parseDuration({ min = '0', max }: DurationRange): Parser<number> {
  const minMs = parseDurationMs(min) ?? 0;
  const maxMs = max === undefined ? Infinity : (parseDurationMs(max) ?? Infinity);
  const range = max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
  const expected = `a duration such as 10s, 1m30s or 1h, ${range}`;
  return (text) => {
    const ms = parseDurationMs(text);
    return ms !== undefined && ms >= minMs && ms <= maxMs ? good(ms) : bad(expected);
  };
}

/** One of the listed words. */
export function parseEnum<const T extends string>(values: readonly T[]): Parser<T> {
  return (text) => {
    const value = values.find((candidate) => candidate === text);
    return value === undefined ? bad(`one of ${values.join(', ')}`) : good(value);
  };
}

const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off']);

/** true or false, in the spellings that people use in environments. */
export const parseBoolean: Parser<boolean> = (text) => {
  const word = text.toLowerCase();
  if (TRUE.has(word)) return good(true);
  return FALSE.has(word) ? good(false) : bad('true or false');
};

/** Parts between commas, each read by `parse`; at least one. */
export function parseList<T>(parse: Parser<T>): Parser<readonly T[]> {
  return (text) => {
    const parts = text.split(',').map((part) => parse(part.trim()));
    const wrong = parts.find((part) => !part.ok);
    if (wrong) return bad(`a list with commas, each ${wrong.expected}`);
    return good(parts.flatMap((part) => (part.ok ? [part.value] : [])));
  };
}

/**
 * A URL with one of the schemes and nothing that could be a secret: everybody on the machine can
 * read the arguments of a process.
 */
export function parseUrl(schemes: readonly string[]): Parser<string> {
  const expected = `a URL without user and password, such as ${schemes[0] ?? 'http'}://127.0.0.1:2379`;
  return (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url || !schemes.includes(url.protocol.slice(0, -1)) || url.host === '')
      return bad(expected);
    if (url.username !== '' || url.password !== '') return bad(expected);
    return good(url.href.replace(/\/$/, ''));
  };
}
