import { BadRequestError } from '../../base/index.js';

/** A query parameter as the OpenAPI document shows it. */
export interface QueryParameter {
  readonly description: string;
  readonly type: 'string' | 'integer' | 'boolean';
}

/** The query of a request, read strictly: a parameter that means nothing here is refused. */
export class Query {
  private constructor(private readonly values: ReadonlyMap<string, string>) {}

  /** Errors: BadRequestError for a parameter that is not `allowed` or that is given twice. */
  static parse(
    given: Readonly<Record<string, unknown>>,
    allowed: Readonly<Record<string, QueryParameter>>,
  ): Query {
    const values = new Map<string, string>();
    for (const [name, value] of Object.entries(given)) {
      if (!(name in allowed)) {
        const names = Object.keys(allowed).sort().join(', ') || 'none';
        throw new BadRequestError(`unknown query parameter "${name}"; allowed: ${names}`);
      }
      if (typeof value !== 'string') {
        throw new BadRequestError(`query parameter "${name}" is given twice`);
      }
      values.set(name, value);
    }
    return new Query(values);
  }

  /** Undefined when it is not given or empty. */
  text(name: string): string | undefined {
    const value = this.values.get(name);
    return value === '' ? undefined : value;
  }

  /** `?name`, `?name=true` and `?name=1` are true. Errors: BadRequestError for other words. */
  flag(name: string, fallback = false): boolean {
    const value = this.values.get(name);
    if (value === undefined) return fallback;
    if (['', 'true', '1'].includes(value)) return true;
    if (['false', '0'].includes(value)) return false;
    throw new BadRequestError(
      `query parameter "${name}": found "${value}", expected true or false`,
    );
  }

  /** Errors: BadRequestError unless it is a whole number from `minimum` to `maximum`. */
  integer(
    name: string,
    { minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: { minimum?: number; maximum?: number } = {},
  ): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (/^-?\d+$/.test(text) && value >= minimum && value <= maximum) return value;
    const range =
      maximum === Number.MAX_SAFE_INTEGER
        ? `of at least ${minimum}`
        : `from ${minimum} to ${maximum}`;
    throw new BadRequestError(
      `query parameter "${name}": found "${text}", expected a whole number ${range}`,
    );
  }
}
