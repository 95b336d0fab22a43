import type { FieldProblem } from '../base/index.js';
import { nearest } from './nearest.js';
import type { Option } from './option.js';
import { shown } from './shown.js';

/** What was given on the command line, by flag. */
export interface Given {
  readonly texts: ReadonlyMap<string, string>;
  readonly problems: readonly FieldProblem[];
}

/**
 * Sorts arguments into flags and texts. Understood: `--flag value`, `--flag=value`, `--switch`,
 * `--no-switch`, `--switch=false`. Values of unknown flags are not repeated in problems, since they
 * may be secrets.
 */
export function readArguments(options: readonly Option[], argv: readonly string[]): Given {
  const reader = new ArgumentReader(options, argv);
  return reader.read();
}

class ArgumentReader {
  private readonly byFlag: ReadonlyMap<string, Option>;
  private readonly texts = new Map<string, string>();
  private readonly problems: FieldProblem[] = [];
  private readonly rest: string[];

  constructor(options: readonly Option[], argv: readonly string[]) {
    this.byFlag = new Map(options.map((option) => [option.flag, option]));
    this.rest = [...argv];
  }

  read(): Given {
    for (let next = this.rest.shift(); next !== undefined; next = this.rest.shift()) {
      if (next.startsWith('--') && next.length > 2) this.takeFlag(next.slice(2));
      else this.problem(shown(next), 'unexpected argument');
    }
    return { texts: this.texts, problems: this.problems };
  }

  private takeFlag(argument: string): void {
    const cut = argument.indexOf('=');
    const name = cut < 0 ? argument : argument.slice(0, cut);
    const attached = cut < 0 ? undefined : argument.slice(cut + 1);
    const option = this.byFlag.get(name);
    if (option) {
      this.takeValue(option, attached);
    } else if (!this.takeNegation(name, attached)) {
      this.unknown(name, attached);
    }
  }

  private takeValue(option: Option, attached: string | undefined): void {
    if (option.placeholder === undefined) {
      this.store(option, attached ?? 'true');
      return;
    }
    const text = attached ?? this.detachedValue();
    if (text === undefined)
      this.problem(`--${option.flag}`, `needs a value: ${option.placeholder}`);
    else this.store(option, text);
  }

  private detachedValue(): string | undefined {
    return this.rest[0]?.startsWith('--') ? undefined : this.rest.shift();
  }

  private takeNegation(name: string, attached: string | undefined): boolean {
    const option = name.startsWith('no-') ? this.byFlag.get(name.slice('no-'.length)) : undefined;
    if (option?.placeholder !== undefined || !option || attached !== undefined) return false;
    this.store(option, 'false');
    return true;
  }

  private store(option: Option, text: string): void {
    const before = this.texts.get(option.flag);
    if (before !== undefined && !option.repeatable) {
      this.problem(`--${option.flag}`, 'was given more than once');
      return;
    }
    this.texts.set(option.flag, before === undefined ? text : `${before},${text}`);
  }

  private unknown(name: string, attached: string | undefined): void {
    if (attached === undefined) this.detachedValue();
    const near = nearest(name, [...this.byFlag.keys()]);
    const hint = near === undefined ? 'see --help' : `did you mean --${near}?`;
    this.problem(`--${name}`, `unknown flag; ${hint}`);
  }

  private problem(path: string, message: string): void {
    this.problems.push({ path, message });
  }
}
