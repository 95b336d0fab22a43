import { isIP } from 'node:net';
import {
  formatBytes,
  formatDurationMs,
  parseBytes,
  parseDurationMs,
} from '../../../api/v1/index.js';
import { UsageError } from '../exit-code.js';

/** The words of Docker's command line for a value that it cannot read. */
export function invalidArgument(flag: string, text: string, why: string): UsageError {
  return new UsageError(`invalid argument "${text}" for "--${flag}" flag: ${why}`);
}

/** Applies `read` to a value that may not be there. */
export function given<T>(
  text: string | undefined,
  flag: string,
  read: (flag: string, text: string) => T,
): T | undefined {
  return text === undefined ? undefined : read(flag, text);
}

/** A Go duration as our API writes it. */
export function durationValue(flag: string, text: string): string {
  const ms = parseDurationMs(text);
  if (ms === undefined) throw invalidArgument(flag, text, `time: invalid duration "${text}"`);
  return formatDurationMs(ms);
}

/** A size such as `512m` or `1GiB`. */
export function sizeValue(flag: string, text: string): string {
  const bytes = /^\d/.test(text) ? parseBytes(text) : undefined;
  if (bytes === undefined) throw invalidArgument(flag, text, `invalid size: '${text}'`);
  return formatBytes(bytes);
}

/** A whole number; `minimum` is 0 unless told otherwise. */
export function integerValue(flag: string, text: string, minimum = 0): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || value < minimum || !Number.isSafeInteger(value)) {
    throw invalidArgument(flag, text, `expected a whole number of at least ${String(minimum)}`);
  }
  return value;
}

/** A decimal number of CPUs. */
export function cpuValue(flag: string, text: string): number {
  if (!/^\d*\.?\d+$/.test(text)) {
    throw invalidArgument(flag, text, `failed to parse ${text} as a rational number`);
  }
  return Number(text);
}

/** One of some words. */
export function oneOf<const T extends string>(flag: string, text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found === undefined) throw invalidArgument(flag, text, `expected ${words.join(', ')}`);
  return found;
}

/** How clients reach a service. */
export const endpointModeValue = (flag: string, text: string): 'vip' | 'dnsrr' =>
  oneOf(flag, text, ['vip', 'dnsrr']);

/** `key=value` or `key` each, as labels are given. */
export function labelMap(flag: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, key, value] = /^([^=]+)(?:=([\s\S]*))?$/.exec(text) ?? [];
      if (key === undefined)
        throw invalidArgument(flag, text, `invalid label '${text}': empty name`);
      return [key, value ?? ''];
    }),
  );
}

/** `key=value` each; the value must be there. */
export function pairMap(flag: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, key, value] = /^([^=]+)=([\s\S]*)$/.exec(text) ?? [];
      if (key === undefined || value === undefined) {
        throw invalidArgument(flag, text, 'expected key=value');
      }
      return [key, value];
    }),
  );
}

/** `file://…` or `registry://…`, as `--credential-spec` takes it. */
export function credentialSpec(
  flag: string,
  text: string,
): { readonly file: string } | { readonly registry: string } {
  const [, scheme, value = ''] = /^(file|registry|config):\/\/(.+)$/.exec(text) ?? [];
  if (scheme === 'file') return { file: value };
  if (scheme === 'registry') return { registry: value };
  if (scheme === 'config') throw invalidArgument(flag, text, 'config:// is not supported yet');
  throw invalidArgument(
    flag,
    text,
    'invalid credential spec: value must be prefixed with "config://", "file://", or "registry://"',
  );
}

/** `name:address`, as `--host` takes it. */
export function hostEntry(text: string): string {
  const [, name, address] = /^([^:=\s]+)[:=](\S+)$/.exec(text) ?? [];
  if (name === undefined || address === undefined) {
    throw invalidArgument('host', text, `bad format for add-host: "${text}"`);
  }
  const plain = address.replace(/^\[(.*)\]$/, '$1');
  if (plain !== 'host-gateway' && isIP(plain) === 0) {
    throw invalidArgument('host', text, `invalid IP address in add-host: "${address}"`);
  }
  return `${name}:${plain}`;
}

/** An address of a name server. */
export function addressValue(flag: string, text: string): string {
  if (isIP(text) === 0) throw invalidArgument(flag, text, `${text} is not an ip address`);
  return text;
}

/** `name=soft[:hard]`, as `--ulimit` takes it. */
export function ulimitValue(text: string): { name: string; soft: number; hard?: number } {
  const [, name, soft, hard] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? [];
  if (name === undefined) {
    throw invalidArgument('ulimit', text, `invalid ulimit argument: ${text}`);
  }
  if (hard !== undefined && Number(hard) !== -1 && Number(soft) > Number(hard)) {
    throw invalidArgument(
      'ulimit',
      text,
      `ulimit soft limit must be less than or equal to hard limit: ${String(soft)} > ${hard}`,
    );
  }
  return { name, soft: Number(soft), ...(hard !== undefined && { hard: Number(hard) }) };
}

/** `kind=count`, as `--generic-resource` takes it. */
export function genericResource(text: string): { kind: string; value: number } {
  const [, kind, value] = /^([^=]+)=(\d+)$/.exec(text) ?? [];
  if (kind === undefined || Number(value) < 1) {
    throw invalidArgument(
      'generic-resource',
      text,
      `invalid generic-resource request \`${text}\`: expected KIND=COUNT`,
    );
  }
  return { kind, value: Number(value) };
}

/** `spread=node.labels.zone`, as `--placement-pref` takes it. */
export function placementPreference(text: string): { spread: string } {
  const [, strategy, spread] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (strategy === undefined || spread === undefined) {
    throw invalidArgument(
      'placement-pref',
      text,
      'placement preference must be of the format "<strategy>=<arg>"',
    );
  }
  if (strategy !== 'spread') {
    throw invalidArgument(
      'placement-pref',
      text,
      `unsupported placement preference strategy (${strategy}); only spread is`,
    );
  }
  return { spread };
}

/** Splits a command as a shell does: quotes and backslashes, nothing else. */
export function shellWords(flag: string, text: string): readonly string[] {
  const words: string[] = [];
  const pattern = /\s*((?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^\s\\'"])+)/gy;
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    words.push(unquoted(match[1] ?? ''));
    end = match.index + match[0].length;
  }
  if (text.slice(end).trim() !== '') {
    throw invalidArgument(flag, text, 'a quote is not closed');
  }
  return words;
}

function unquoted(word: string): string {
  return word.replace(
    /\\(.)|'([^']*)'|"((?:\\.|[^"\\])*)"/g,
    (_all, escaped?: string, single?: string, double?: string) =>
      escaped ?? single ?? (double ?? '').replace(/\\(["\\$`])/g, '$1'),
  );
}
