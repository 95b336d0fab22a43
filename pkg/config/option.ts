import { resolve } from 'node:path';
import {
  parseBoolean,
  parseDuration,
  parseEnum,
  parseHostPort,
  parseInteger,
  parseList,
  parseString,
  parseUrl,
} from './parsers.js';
import type { DurationRange, HostPort, Parser, Range } from './parsers.js';

/** What every kind of option states about itself. */
export interface OptionSpec {
  /** Without the dashes: `listen`. */
  readonly flag: string;
  /** The environment variable: `SWARM_LISTEN`. The flag wins over it; empty counts as not set. */
  readonly env: string;
  /** One sentence for the help. */
  readonly help: string;
  /** As it would be typed; read like any other value. */
  readonly default?: string;
  /** Whether leaving it out is an error. Without this and a default the value may be undefined. */
  readonly required?: boolean;
}

/** One option: how to find, read and explain it. */
export interface Option<T = unknown> extends OptionSpec {
  /** What stands for the value in the help: `HOST:PORT`; undefined for switches. */
  readonly placeholder: string | undefined;
  /** May be given several times; the values are then joined with commas. */
  readonly repeatable: boolean;
  readonly parse: Parser<T>;
}

/** The value of an option after loading: undefined only if it has no default and is not required. */
export type ValueOf<T, S extends OptionSpec> = S extends
  { readonly default: string } | { readonly required: true }
  ? T
  : T | undefined;

/** The kinds of options. Secrets have none but `path`: arguments are readable by every process. */
export const option = {
  /** Free text, optionally of a shape. */
  string: <const S extends OptionSpec & { readonly pattern?: RegExp; readonly expected?: string }>(
    spec: S,
  ) => make<string, S>(spec, 'TEXT', parseString(spec.pattern, spec.expected)),

  /** An address with a port. */
  hostPort: <const S extends OptionSpec>(spec: S) =>
    make<HostPort, S>(spec, 'HOST:PORT', parseHostPort),

  /** Addresses with ports, between commas or repeated. */
  hostPortList: <const S extends OptionSpec>(spec: S) =>
    list<HostPort, S>(spec, 'HOST:PORT,...', parseHostPort),

  /** A duration, in milliseconds after loading. */
  duration: <const S extends OptionSpec & DurationRange>(spec: S) =>
    make<number, S>(spec, 'DURATION', parseDuration(spec)),

  /** A whole number; by default from 0. */
  integer: <const S extends OptionSpec & Range>(spec: S) =>
    make<number, S>(spec, 'NUMBER', parseInteger(spec)),

  /** A file or folder; absolute after loading. It need not exist. */
  path: <const S extends OptionSpec>(spec: S) =>
    make<string, S>(spec, 'PATH', (text) =>
      text === '' ? { ok: false, expected: 'a path' } : { ok: true, value: resolve(text) },
    ),

  /** URLs, between commas or repeated. `schemes` by default http and https. */
  urlList: <const S extends OptionSpec & { readonly schemes?: readonly string[] }>(spec: S) =>
    list<string, S>(spec, 'URL,...', parseUrl(spec.schemes ?? ['http', 'https'])),

  /** One of the `values`. */
  enum: <const S extends OptionSpec & { readonly values: readonly string[] }>(spec: S) =>
    make<S['values'][number], S>(spec, spec.values.join('|'), parseEnum(spec.values)),

  /** A switch: `--flag`, `--no-flag`, `--flag=false`; false unless its default says otherwise. */
  boolean: <const S extends OptionSpec>(spec: S) =>
    make<boolean, S & { readonly default: string }>(
      { ...spec, default: spec.default ?? 'false' },
      undefined,
      parseBoolean,
    ),
} as const;

function make<T, S extends OptionSpec>(
  spec: S,
  placeholder: string | undefined,
  parse: Parser<T>,
): Option<ValueOf<T, S>> {
  // The type only adds `undefined` for options that were left out; the parser never gives it.
  return { ...spec, placeholder, repeatable: false, parse };
}

function list<T, S extends OptionSpec>(
  spec: S,
  placeholder: string,
  parse: Parser<T>,
): Option<ValueOf<readonly T[], S>> {
  return { ...make<readonly T[], S>(spec, placeholder, parseList(parse)), repeatable: true };
}
