import { InvalidObjectError } from '../../base/index.js';

/** How a constraint compares. */
export const CONSTRAINT_OPERATORS = [
  '==',
  '!=',
  'in',
  'notin',
  'exists',
  '!exists',
  '<',
  '<=',
  '>',
  '>=',
  '=~',
  '!~',
] as const;
export type ConstraintOperator = (typeof CONSTRAINT_OPERATORS)[number];

/** A piece of an expression, and the column (from 1) at which it begins. */
export interface Token {
  readonly text: string;
  readonly column: number;
}

/** A constraint taken to pieces; what they mean is not looked at yet. */
export interface ConstraintSyntax {
  readonly key: Token;
  readonly operator: ConstraintOperator;
  readonly operatorColumn: number;
  /** What stands behind the operator: none for `exists`, several for `in`, else one. */
  readonly operands: readonly Token[];
}

const KEY = /^[a-z_][a-z0-9\-_./]+$/i;
const KEY_RULE = 'a key: a letter or _, then letters, digits and any of - _ . /';
const VALUE_CHARACTER = /[a-z0-9:\-_\s.*()?+[\]\\^$|/]/i;
const VALUE_RULE = 'letters, digits, spaces and any of : - _ . * ( ) ? + [ ] \\ ^ $ | /';
const LIST_CHARACTER = /[a-z0-9:\-_\s.*?+[\]\\^$|/]/i;
const LIST_RULE = 'letters, digits, spaces and any of : - _ . * ? + [ ] \\ ^ $ | /';
const OPERATOR = /^(==|!=|=~|!~|<=|>=|<|>|!exists(?![\w.-])|(?:in|notin|exists)(?![\w.-]))/i;

/** Takes an expression to pieces: `key == value`, `key in (a, b)`, `key exists`. Throws InvalidObjectError. */
export function readConstraintSyntax(text: string): ConstraintSyntax {
  const reader = new Reader(text);
  const key = reader.readKey();
  const { operator, column: operatorColumn } = reader.readOperator();
  return { key, operator, operatorColumn, operands: reader.readOperands(operator) };
}

/** Says what is wrong with an expression, and where. */
export function refusedAt(
  text: string,
  column: number,
  { found, expected }: { readonly found: string; readonly expected: string },
): InvalidObjectError {
  return new InvalidObjectError(
    `constraint "${text}": column ${column}: found ${found}, expected ${expected}`,
  );
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  readKey(): Token {
    this.skipSpaces();
    const key = this.token(/^[^\s=!<>~]*/.exec(this.rest)?.[0] ?? '');
    if (!KEY.test(key.text)) throw this.refused(key.column, quoted(key.text), KEY_RULE);
    this.at += key.text.length;
    return key;
  }

  readOperator(): { readonly operator: ConstraintOperator; readonly column: number } {
    this.skipSpaces();
    const found = OPERATOR.exec(this.rest)?.[0].toLowerCase();
    const operator = CONSTRAINT_OPERATORS.find((known) => known === found);
    if (operator === undefined) {
      const word = /^([\w.-]+|[^\w\s.-]+)/.exec(this.rest)?.[0] ?? '';
      const expected = `one of ${CONSTRAINT_OPERATORS.join(' ')}`;
      throw this.refused(this.at + 1, quoted(word), expected);
    }
    const column = this.at + 1;
    this.at += operator.length;
    return { operator, column };
  }

  readOperands(operator: ConstraintOperator): readonly Token[] {
    this.skipSpaces();
    switch (operator) {
      case 'exists':
      case '!exists':
        if (this.rest !== '') throw this.refused(this.at + 1, quoted(this.rest), 'nothing more');
        return [];
      case 'in':
      case 'notin':
        return this.readList();
      case '=~':
      case '!~':
        return [this.readRest('a regular expression')];
      default: {
        const value = this.readRest('a value');
        this.check(value, VALUE_CHARACTER, VALUE_RULE);
        return [value];
      }
    }
  }

  private readRest(expected: string): Token {
    const value = this.token(this.rest.trimEnd());
    if (value.text === '') throw this.refused(value.column, 'nothing', expected);
    return value;
  }

  /** `(a, b c, d)`: spaces around the values do not count. */
  private readList(): readonly Token[] {
    if (!this.rest.startsWith('(')) throw this.refusedHere('a list such as (a, b)');
    const items: Token[] = [];
    do {
      this.at += 1;
      this.skipSpaces();
      const item = this.token((/^[^,)]*/.exec(this.rest)?.[0] ?? '').trimEnd());
      if (item.text === '') throw this.refusedHere('a value');
      this.check(item, LIST_CHARACTER, LIST_RULE);
      items.push(item);
      this.at += item.text.length;
      this.skipSpaces();
    } while (this.rest.startsWith(','));
    if (!this.rest.startsWith(')')) throw this.refusedHere('"," or ")"');
    this.at += 1;
    this.skipSpaces();
    if (this.rest !== '') throw this.refusedHere('nothing more');
    return items;
  }

  private check({ text, column }: Token, allowed: RegExp, rule: string): void {
    for (const [index, character] of Array.from(text).entries()) {
      if (!allowed.test(character)) throw this.refused(column + index, quoted(character), rule);
    }
  }

  private get rest(): string {
    return this.text.slice(this.at);
  }

  private token(text: string): Token {
    return { text, column: this.at + 1 };
  }

  private skipSpaces(): void {
    while (/^\s/.test(this.rest)) this.at += 1;
  }

  private refusedHere(expected: string): InvalidObjectError {
    const found = quoted(/^[\w.-]+|^./.exec(this.rest)?.[0] ?? '');
    return this.refused(this.at + 1, found, expected);
  }

  private refused(column: number, found: string, expected: string): InvalidObjectError {
    return refusedAt(this.text, column, { found, expected });
  }
}

/** What stood there, as words of a message. */
export function quoted(text: string): string {
  return text === '' ? 'nothing' : `"${text}"`;
}
