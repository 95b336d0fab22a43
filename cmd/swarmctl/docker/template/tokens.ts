import { templateError } from './template-error.js';

/** A part of a template: text as it is, or the inside of `{{ }}`. */
export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly text: string };

/** A word of an action. */
export interface Token {
  readonly kind: 'field' | 'variable' | 'string' | 'number' | 'word' | 'symbol';
  /** As written; for strings what they mean. */
  readonly text: string;
  /** Nothing stands between it and the token before: `(index .A 0).Name`. */
  readonly isAttached: boolean;
}

/** Splits a template at its actions; `{{-` and `-}}` take the white space beside them. Comments are gone. */
export function segmentsOf(template: string): readonly Segment[] {
  const segments: Segment[] = [];
  let rest = template;
  let trims = false;
  for (;;) {
    const start = rest.indexOf('{{');
    const text = start < 0 ? rest : rest.slice(0, start);
    const opens = start >= 0 && /^\{\{-\s/.test(rest.slice(start));
    const left = trims ? text.trimStart() : text;
    segments.push({ kind: 'text', text: opens ? left.trimEnd() : left });
    if (start < 0) return segments;
    const { action, end, closes } = actionAt(rest, start + (opens ? 3 : 2));
    if (!/^\s*\/\*[\s\S]*\*\/\s*$/.test(action)) segments.push({ kind: 'action', text: action });
    rest = rest.slice(end);
    trims = closes;
  }
}

interface Action {
  readonly action: string;
  readonly end: number;
  readonly closes: boolean;
}

/** Braces within strings do not end an action. */
function actionAt(text: string, start: number): Action {
  const pattern = /"(?:\\.|[^"\\])*"|`[^`]*`|\/\*[\s\S]*?\*\/|(\s-)?\}\}|[\s\S]/gy;
  pattern.lastIndex = start;
  for (const match of text.matchAll(pattern)) {
    if (!match[0].endsWith('}}') || match[0].startsWith('"') || match[0].startsWith('`')) continue;
    const action = text.slice(start, match.index);
    return { action, end: match.index + match[0].length, closes: match[1] !== undefined };
  }
  throw templateError('unclosed action', text.slice(start - 2));
}

const TOKEN =
  /(?<space>\s*)(?:(?<string>"(?:\\.|[^"\\])*"|`[^`]*`)|(?<number>-?\d+(?:\.\d+)?)|(?<variable>\$\w*)|(?<field>\.[A-Za-z_][\w-]*)|(?<word>[A-Za-z_]\w*)|(?<symbol>:=|[().|=,]))/gy;
const KINDS = ['string', 'number', 'variable', 'field', 'word', 'symbol'] as const;

/** The words of an action. */
export function tokensOf(action: string): readonly Token[] {
  const tokens: Token[] = [];
  let end = 0;
  for (const { 0: all, index, groups = {} } of action.matchAll(TOKEN)) {
    const isAttached = groups['space'] === '' && tokens.length > 0;
    const kind = KINDS.find((known) => groups[known] !== undefined) ?? 'symbol';
    tokens.push({ kind, text: meaning(kind, groups[kind] ?? '', action), isAttached });
    end = index + all.length;
  }
  const rest = action.slice(end).trim();
  if (rest !== '') throw templateError(`unexpected ${JSON.stringify(rest.charAt(0))}`, action);
  return tokens;
}

function meaning(kind: Token['kind'], text: string, action: string): string {
  if (kind === 'string') return unquoted(text, action);
  return kind === 'field' ? text.slice(1) : text;
}

function unquoted(text: string, action: string): string {
  if (text.startsWith('`')) return text.slice(1, -1);
  try {
    // Tabs and line ends came in as such when the shell passed \t and \n.
    return JSON.parse(text.replaceAll('\t', '\\t').replaceAll('\n', '\\n')) as string;
  } catch {
    throw templateError(`invalid string ${text}`, action);
  }
}
