import { InvalidObjectError, deepFreeze } from '../base/index.js';
import type { FieldProblem } from '../base/index.js';
import { readArguments } from './arguments.js';
import type { Option } from './option.js';
import { shown } from './shown.js';

/** The options of a program by the names that its code uses. */
export type OptionTable = Readonly<Record<string, Option>>;

/** What {@link loadOptions} gives for a table. */
export type Options<T extends OptionTable> = {
  readonly [Name in keyof T]: T[Name] extends Option<infer V> ? V : never;
};

const FLAG = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const ENV = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;

/**
 * Checks a table once, where it is written: flags and variables well formed and used once, defaults
 * valid. Throws Error, since a wrong table is a bug.
 */
export function defineOptions<const T extends OptionTable>(table: T): T {
  const options = Object.values(table);
  for (const { flag, env, parse, default: text } of options) {
    if (!FLAG.test(flag) || flag === 'help') throw new Error(`bad flag --${flag}`);
    if (!ENV.test(env)) throw new Error(`bad variable ${env} of --${flag}`);
    if (text !== undefined && !parse(text).ok) throw new Error(`bad default of --${flag}: ${text}`);
  }
  for (const names of [options.map(({ flag }) => flag), options.map(({ env }) => env)]) {
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw new Error(`${twice} is declared twice`);
  }
  return table;
}

/**
 * Reads all options from arguments (which win), environment and defaults into one frozen object.
 * Throws InvalidObjectError that lists every problem, each with flag, variable, what was found and
 * what is allowed.
 */
export function loadOptions<T extends OptionTable>(
  table: T,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Options<T> {
  const given = readArguments(Object.values(table), argv);
  const problems = [...given.problems];
  const values: Record<string, unknown> = {};
  const complained = new Set(problems.map(({ path }) => path));
  for (const [name, option] of Object.entries(table)) {
    const result = readOption(option, given.texts.get(option.flag), env[option.env]);
    if (result.ok) values[name] = result.value;
    else if (!complained.has(`--${option.flag}`)) problems.push(result.problem);
  }
  if (problems.length > 0) {
    const lines = problems.map(({ path, message }) => `  ${path}: ${message}`);
    throw new InvalidObjectError(`invalid options:\n${lines.join('\n')}`, problems);
  }
  return deepFreeze(values) as Options<T>;
}

type Read =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: FieldProblem };

function readOption(
  option: Option,
  argument: string | undefined,
  variable: string | undefined,
): Read {
  const fromEnv = variable === undefined || variable.trim() === '' ? undefined : variable.trim();
  const text = argument ?? fromEnv ?? option.default;
  const path = `--${option.flag}`;
  if (text === undefined) {
    if (option.required !== true) return { ok: true, value: undefined };
    const message = `is required; give it or set ${option.env} (${option.help})`;
    return { ok: false, problem: { path, message } };
  }
  const parsed = option.parse(text);
  if (parsed.ok) return parsed;
  const source = argument === undefined ? ` in ${option.env}` : '';
  const message = `found "${shown(text)}"${source}, expected ${parsed.expected}`;
  return { ok: false, problem: { path, message } };
}

/** Whether the arguments ask for help. */
export function helpWanted(argv: readonly string[]): boolean {
  return argv.includes('--help') || argv.includes('-h');
}
