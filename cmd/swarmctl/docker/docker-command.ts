import { Command } from 'commander';
import { answersTo } from './answers-to.js';

/** Words that Go's flag package takes for true and false. */
const TRUE = ['true', '1', 't', 'T', 'TRUE', 'True'];
const FALSE = ['false', '0', 'f', 'F', 'FALSE', 'False'];

/**
 * A command with Docker's manners: switches may carry a value (`--detach=false`). With passThroughOptions, what
 * stands behind the first argument belongs to that argument.
 */
export class DockerCommand extends Command {
  constructor(name: string) {
    super(name);
    this.enablePositionalOptions();
  }

  private passesThrough = false;

  override passThroughOptions(passThrough = true): this {
    this.passesThrough = passThrough;
    return super.passThroughOptions(passThrough);
  }

  override parseOptions(argv: string[]): { operands: string[]; unknown: string[] } {
    return super.parseOptions(this.withoutSwitchValues(argv));
  }

  private withoutSwitchValues(argv: readonly string[]): string[] {
    const result: string[] = [];
    for (let at = 0; at < argv.length; at += 1) {
      const arg = argv[at] ?? '';
      const isOperand = !arg.startsWith('-');
      if (arg === '--' || (isOperand && this.passesThrough)) return [...result, ...argv.slice(at)];
      const option = this.options.find((known) => answersTo(known, arg));
      if (option?.required) {
        result.push(arg, ...argv.slice(at + 1, at + 2));
        at += 1;
      } else {
        result.push(...this.plainSwitch(arg));
      }
    }
    return result;
  }

  private plainSwitch(arg: string): readonly string[] {
    const [, flag, value = ''] = /^(--[^=]+)=(.*)$/.exec(arg) ?? [];
    const option = this.options.find((known) => flag !== undefined && answersTo(known, flag));
    if (flag === undefined || option === undefined || option.required) return [arg];
    if (TRUE.includes(value)) return [flag];
    if (!FALSE.includes(value)) return [arg];
    const negated = `--no-${flag.slice(2)}`;
    return this.options.some((known) => answersTo(known, negated)) ? [negated] : [];
  }
}
