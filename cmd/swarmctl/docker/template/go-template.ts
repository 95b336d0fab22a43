import { formatValue, isTruthy } from './format-value.js';
import { callFunction } from './functions.js';
import { parseParts } from './parse.js';
import type { Block, Expression, Part, Pipeline } from './syntax.js';
import { templateError } from './template-error.js';

/** A template that was read; gives the text of one row. Errors: UsageError for fields that are not there. */
export type Template = (row: object) => string;

const ESCAPES: Readonly<Record<string, string>> = { '\\t': '\t', '\\n': '\n', '\\r': '\r' };

/**
 * Reads Go's templates as command lines use them: fields (letter case aside), pipes, variables, `if`, `with`,
 * `range`, Go's own functions and Docker's (`json`, `join`, `split`, `upper`, `lower`, `title`, `pad`,
 * `truncate`). Errors: UsageError.
 */
export function parseTemplate(text: string): Template {
  const parts = parseParts(text.replace(/\\[tnr]/g, (escape) => ESCAPES[escape] ?? escape));
  return (row) => {
    const variables = new Map([['$', { value: row }]]);
    return new Evaluation(row).run(parts, { dot: row, variables }).text;
  };
}

/** Where a part is evaluated. Variables are cells, so that `$x = …` within a block is seen after it. */
interface Scope {
  readonly dot: unknown;
  readonly variables: Map<string, { value: unknown }>;
}

/** What parts print, and whether one of them left the loop or this pass of it. */
interface Printed {
  readonly text: string;
  readonly leaves?: 'break' | 'continue' | undefined;
}

class Evaluation {
  constructor(private readonly root: object) {}

  run(parts: readonly Part[], outer: Scope): Printed {
    const scope = { ...outer, variables: new Map(outer.variables) };
    let text = '';
    for (const part of parts) {
      const printed = this.part(part, scope);
      text += printed.text;
      if (printed.leaves) return { text, leaves: printed.leaves };
    }
    return { text };
  }

  private part(part: Part, scope: Scope): Printed {
    switch (part.kind) {
      case 'text':
        return part;
      case 'print':
        return { text: this.print(part.pipeline, scope) };
      case 'break':
      case 'continue':
        return { text: '', leaves: part.kind };
      case 'range':
        return this.range(part, scope);
      case 'if':
      case 'with': {
        const inner = { ...scope, variables: new Map(scope.variables) };
        const value = this.assigned(part.pipeline, inner);
        if (!isTruthy(value)) return this.run(part.otherwise, inner);
        return this.run(part.body, part.kind === 'with' ? { ...inner, dot: value } : inner);
      }
    }
  }

  private print(pipeline: Pipeline, scope: Scope): string {
    const value = this.assigned(pipeline, scope);
    return pipeline.declares.length > 0 ? '' : formatValue(value);
  }

  private range({ pipeline, body, otherwise }: Block, scope: Scope): Printed {
    const { declares, value } = pipeline;
    const entries = entriesOf(this.value(value, scope));
    if (entries.length === 0) return this.run(otherwise, scope);
    let text = '';
    for (const [key, item] of entries) {
      const values = declares.length === 2 ? [key, item] : [item];
      const cells = declares.map((name, index) => [name, { value: values[index] }] as const);
      const variables = new Map([...scope.variables, ...cells]);
      const printed = this.run(body, { dot: item, variables });
      text += printed.text;
      if (printed.leaves === 'break') break;
    }
    return { text };
  }

  /** The value of a pipeline, which its variable has from here on. */
  private assigned({ declares, assigns, value }: Pipeline, { dot, variables }: Scope): unknown {
    const result = this.value(value, { dot, variables });
    for (const name of declares) {
      const cell = variables.get(name);
      if (assigns && cell) cell.value = result;
      else variables.set(name, { value: result });
    }
    return result;
  }

  private value(expression: Expression, scope: Scope): unknown {
    switch (expression.kind) {
      case 'dot':
        return scope.dot;
      case 'literal':
        return expression.value;
      case 'variable':
        return scope.variables.get(expression.name)?.value;
      case 'call':
        return callFunction(
          expression.name,
          expression.args.map((arg) => () => this.value(arg, scope)),
        );
      case 'field': {
        const found = this.field(this.value(expression.of, scope), expression.name);
        const args = expression.args.map((arg) => this.value(arg, scope));
        if (typeof found === 'function')
          return (found as (...given: unknown[]) => unknown)(...args);
        if (args.length === 0) return found;
        throw templateError(`${expression.name} has arguments but cannot be invoked as function`);
      }
    }
  }

  /** A field that the row has not is a mistake; deeper down it may just not be set. */
  private field(value: unknown, name: string): unknown {
    const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
    const key =
      keys.find((known) => known === name) ??
      keys.find((known) => known.toLowerCase() === name.toLowerCase());
    if (key !== undefined) return (value as Record<string, unknown>)[key];
    if (value !== this.root) return undefined;
    throw templateError(`can't evaluate field ${name}; known: ${keys.join(', ')}`);
  }
}

/** What `range` goes through: items of a list, values of a map in the order of its keys. */
function entriesOf(value: unknown): readonly (readonly [key: unknown, item: unknown])[] {
  if (Array.isArray(value)) return value.map((item: unknown, index) => [index, item]);
  if (typeof value === 'number') {
    return Array.from({ length: value }, (_, index) => [index, index]);
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
