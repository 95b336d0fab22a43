import { FUNCTION_NAMES } from './functions.js';
import type { Expression, Part, Pipeline } from './syntax.js';
import { templateError } from './template-error.js';
import { segmentsOf, tokensOf, type Segment, type Token } from './tokens.js';

/** Reads a template. Errors: UsageError. */
export function parseParts(template: string): readonly Part[] {
  const parser = new TemplateParser(segmentsOf(template));
  const { parts, end } = parser.list(['$']);
  if (end !== undefined) throw templateError(`unexpected {{${end.word}}}`);
  return parts;
}

/** What ended a list of parts: `end`, `else`, and what stood behind it. */
interface Ending {
  readonly word: string;
  readonly rest: string;
}

interface List {
  readonly parts: readonly Part[];
  readonly end: Ending | undefined;
}

type Scope = readonly string[];

const BLOCKS = ['if', 'with', 'range'] as const;
const UNSUPPORTED = ['define', 'template', 'block'];

class TemplateParser {
  private at = 0;

  constructor(private readonly segments: readonly Segment[]) {}

  /** Parts until something ends them. Variables that are declared here are known to what follows. */
  list(outer: Scope): List {
    const parts: Part[] = [];
    const scope = [...outer];
    for (;;) {
      const segment = this.segments[this.at];
      this.at += 1;
      if (segment === undefined) return { parts, end: undefined };
      if (segment.kind === 'text') {
        parts.push(segment);
        continue;
      }
      const [, word = '', rest = ''] = /^\s*([a-z]+)\b([\s\S]*)$/.exec(segment.text) ?? [];
      if (word === 'end' || word === 'else') return { parts, end: { word, rest } };
      parts.push(this.part(segment.text, { word, rest }, scope));
    }
  }

  private part(action: string, { word, rest }: Ending, scope: string[]): Part {
    const block = BLOCKS.find((name) => name === word);
    if (block !== undefined) return this.block(block, rest, scope);
    if (UNSUPPORTED.includes(word)) throw templateError(`{{${word}}} is not supported`);
    if (word === 'break' || word === 'continue') return { kind: word };
    const pipeline = new ActionParser(action, scope).all();
    if (!pipeline.assigns) scope.push(...pipeline.declares);
    return { kind: 'print', pipeline };
  }

  private block(kind: (typeof BLOCKS)[number], rest: string, outer: Scope): Part {
    const pipeline = new ActionParser(rest, outer, kind === 'range').all();
    const scope = [...outer, ...pipeline.declares];
    const { parts: body, end } = this.list(scope);
    if (end === undefined) throw templateError(`{{${kind}}} is not ended by {{end}}`);
    return { kind, pipeline, body, otherwise: this.otherwise(end, scope) };
  }

  private otherwise({ word, rest }: Ending, scope: Scope): readonly Part[] {
    if (word === 'end') return [];
    const [, kind, condition] = /^\s*(if|with)\b([\s\S]*)$/.exec(rest) ?? [];
    if (kind === 'if' || kind === 'with') return [this.block(kind, condition ?? '', scope)];
    const { parts, end } = this.list(scope);
    if (end?.word !== 'end') throw templateError('{{else}} is not ended by {{end}}');
    return parts;
  }
}

/** Reads what stands within `{{ }}`. */
class ActionParser {
  private readonly tokens: readonly Token[];
  private at = 0;

  constructor(
    private readonly action: string,
    private readonly scope: Scope,
    private readonly mayDeclareTwo = false,
  ) {
    this.tokens = tokensOf(action);
  }

  all(): Pipeline {
    const { declares, assigns } = this.declaration();
    const value = this.pipeline();
    if (this.peek !== undefined) throw this.wrong(`unexpected "${this.peek.text}"`);
    return { declares, assigns, value };
  }

  /** `$x :=`, `$i, $x :=` or `$x =` at the beginning. */
  private declaration(): Pick<Pipeline, 'declares' | 'assigns'> {
    const words = this.tokens.map(({ kind, text }) =>
      kind === 'variable' ? text : ` ${kind} ${text}`,
    );
    const [, first, second, sign] =
      /^(\$\w*)(?:\n symbol ,\n(\$\w*))?\n symbol (:=|=)(?:\n|$)/.exec(words.join('\n')) ?? [];
    if (first === undefined) return { declares: [], assigns: false };
    if (second !== undefined && !this.mayDeclareTwo) throw this.wrong('too many declarations');
    this.at = second === undefined ? 2 : 4;
    return { declares: second === undefined ? [first] : [first, second], assigns: sign === '=' };
  }

  private pipeline(): Expression {
    let value = this.command();
    while (this.take('|')) value = this.command(value);
    return value;
  }

  /** One call or value; what came through the pipe is the last argument. */
  private command(piped?: Expression): Expression {
    const head = this.peek;
    if (head?.kind === 'word' && !LITERALS.has(head.text)) return this.call(piped);
    const value = this.operand();
    const args = [...this.arguments(), ...(piped ? [piped] : [])];
    if (args.length === 0) return value;
    if (value.kind !== 'field') throw this.wrong(`can't give argument to non-function`);
    return { ...value, args };
  }

  private call(piped: Expression | undefined): Expression {
    const name = this.next().text;
    if (!FUNCTION_NAMES.has(name)) throw this.wrong(`function "${name}" not defined`);
    const args = [...this.arguments(), ...(piped ? [piped] : [])];
    return { kind: 'call', name, args };
  }

  private arguments(): readonly Expression[] {
    const args: Expression[] = [];
    while (this.peek !== undefined && !['|', ')'].includes(this.peek.text)) {
      const isCall = this.peek.kind === 'word' && !LITERALS.has(this.peek.text);
      args.push(isCall ? this.bareCall() : this.operand());
    }
    return args;
  }

  /** A function as an argument has none of its own: `len (now)` needs parentheses for more. */
  private bareCall(): Expression {
    const name = this.next().text;
    if (!FUNCTION_NAMES.has(name)) throw this.wrong(`function "${name}" not defined`);
    return { kind: 'call', name, args: [] };
  }

  private operand(): Expression {
    let value = this.term();
    while (this.peek?.kind === 'field' && this.peek.isAttached) {
      value = { kind: 'field', of: value, name: this.next().text, args: [] };
    }
    return value;
  }

  private term(): Expression {
    const token = this.peek;
    if (token === undefined) throw this.wrong('missing value');
    this.at += 1;
    switch (token.kind) {
      case 'field':
        return { kind: 'field', of: { kind: 'dot' }, name: token.text, args: [] };
      case 'variable':
        if (!this.scope.includes(token.text))
          throw this.wrong(`undefined variable "${token.text}"`);
        return { kind: 'variable', name: token.text };
      case 'string':
        return { kind: 'literal', value: token.text };
      case 'number':
        return { kind: 'literal', value: Number(token.text) };
      case 'word':
        return { kind: 'literal', value: LITERALS.get(token.text) };
      case 'symbol':
        return this.symbol(token.text);
    }
  }

  private symbol(text: string): Expression {
    if (text === '.') return { kind: 'dot' };
    if (text !== '(') throw this.wrong(`unexpected "${text}"`);
    const value = this.pipeline();
    if (!this.take(')')) throw this.wrong('unclosed left paren');
    return value;
  }

  private get peek(): Token | undefined {
    return this.tokens[this.at];
  }

  private next(): Token {
    const token = this.tokens[this.at];
    if (token === undefined) throw this.wrong('missing value');
    this.at += 1;
    return token;
  }

  private take(symbol: string): boolean {
    const isThere = this.peek?.kind === 'symbol' && this.peek.text === symbol;
    if (isThere) this.at += 1;
    return isThere;
  }

  private wrong(why: string) {
    return templateError(why, this.action);
  }
}

const LITERALS = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['nil', undefined],
]);
