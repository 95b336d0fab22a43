/** Something that has a value. */
export type Expression =
  | { readonly kind: 'dot' }
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | {
      readonly kind: 'field';
      readonly of: Expression;
      readonly name: string;
      readonly args: readonly Expression[];
    };

/** `$name := value`, `$name = value`, or a value that is printed. */
export interface Pipeline {
  readonly declares: readonly string[];
  /** Sets variables that exist instead of making new ones. */
  readonly assigns: boolean;
  readonly value: Expression;
}

/** A part with parts of its own. */
export interface Block {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipeline: Pipeline;
  readonly body: readonly Part[];
  readonly otherwise: readonly Part[];
}

/** A part of a template that prints something. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | { readonly kind: 'break' | 'continue' }
  | Block;
