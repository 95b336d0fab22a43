import type { OptionTable } from './load-options.js';
import type { Option } from './option.js';

/** What a program says about itself above and below its options. */
export interface HelpText {
  /** As it is typed: `swarm-manager run`. */
  readonly name: string;
  /** One or more sentences. */
  readonly summary: string;
  /** Whole command lines that work. */
  readonly examples: readonly string[];
}

const INDENT = '  ';

/** The text of `--help`: summary, every option with variable and default, examples. */
export function renderHelp(table: OptionTable, { name, summary, examples }: HelpText): string {
  const options = Object.values(table).map(optionLines);
  return [
    `Usage: ${name} [options]`,
    '',
    summary,
    '',
    'Options (a flag wins over its environment variable):',
    ...options,
    `${INDENT}-h, --help`,
    `${INDENT}${INDENT}${INDENT}Show this text.`,
    '',
    'Examples:',
    ...examples.map((example) => `${INDENT}${example}`),
    '',
  ].join('\n');
}

function optionLines(option: Option): string {
  const { flag, placeholder, env, help } = option;
  const usage = placeholder === undefined ? `--${flag}` : `--${flag} ${placeholder}`;
  const notes = [env, ...defaultNote(option)].join(', ');
  return `${INDENT}${usage}\n${INDENT}${INDENT}${INDENT}${help} [${notes}]`;
}

function defaultNote({ placeholder, default: text, required }: Option): readonly string[] {
  if (required === true) return ['required'];
  const isPlainSwitch = placeholder === undefined && text === 'false';
  return text === undefined || isPlainSwitch ? [] : [`default ${text}`];
}
