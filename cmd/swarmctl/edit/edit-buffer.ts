import { toJson } from '../output/json.js';

/** How an object is edited. */
export type EditFormat = 'yaml' | 'json';

const ABOUT = [
  'Save this file and leave the editor to change the object. Leave it unchanged, or empty, to change nothing.',
  'Lines that begin with # are not read.',
];

/** The text that is edited: the object, below what there is to say about it. */
export async function bufferOf(
  parts: object,
  format: EditFormat,
  problems: readonly string[] = [],
): Promise<string> {
  const { toYaml } = await import('../../../pkg/manifest/index.js');
  return withComments(format === 'json' ? toJson(parts) : toYaml(parts), problems);
}

/** A text that somebody wrote, with comments of ours in the place of those that stood there. */
export function withComments(text: string, problems: readonly string[]): string {
  return `${headerOf(problems)}${withoutHeader(text)}`;
}

/** How many lines of ours stand above a text. */
export const headerLines = (problems: readonly string[]): number =>
  headerOf(problems).split('\n').length - 1;

function headerOf(problems: readonly string[]): string {
  const comments = [...ABOUT, '', ...problems, ...(problems.length > 0 ? [''] : [])];
  return comments.map((line) => `${HEADER}${line === '' ? '' : ` ${line}`}\n`).join('');
}

/** Ours, so that comments of theirs stay where they are. */
const HEADER = '##';

/** The same text without our header: line numbers in messages are those of the body. */
export function withoutHeader(text: string): string {
  return text.replace(/^(##[^\n]*\n)*/, '');
}

/** Whether nothing is left but comments and blank lines. */
export function isBlank(text: string): boolean {
  return text.split('\n').every((line) => /^\s*(#.*)?$/.test(line));
}
