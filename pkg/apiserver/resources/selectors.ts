import { BadRequestError } from '../../base/index.js';
import type { Reader } from './reader.js';
import type { Resource } from './resource.js';

/** One demand of a selector. */
interface Requirement {
  readonly key: string;
  readonly operator: '=' | '!=' | 'exists' | 'absent';
  readonly value: string;
}

/** Decides whether an object was asked for. */
export type Selector = (stored: unknown, reader: Reader) => boolean;

/** The two selectors of a request. */
export interface SelectorTexts {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/**
 * Reads `labelSelector` (`a=b,c!=d,e,!f`) and `fieldSelector` (`spec.service=web`); undefined when there is
 * nothing to select. Errors: BadRequestError, which lists the fields that can be selected by.
 */
export function parseSelectors(
  resource: Resource,
  { labelSelector, fieldSelector }: SelectorTexts,
): Selector | undefined {
  const labels = parseRequirements('labelSelector', labelSelector);
  const fields = parseRequirements('fieldSelector', fieldSelector);
  for (const requirement of fields) requireField(resource, requirement);
  if (labels.length + fields.length === 0) return undefined;
  return (stored, reader) =>
    labels.every((wanted) => holds(wanted, resource.labelsOf(stored)[wanted.key])) &&
    fields.every((wanted) => holds(wanted, resource.fields[wanted.key]?.(stored, reader)));
}

function requireField(resource: Resource, { key, operator }: Requirement): void {
  const allowed = Object.keys(resource.fields).sort();
  if (!allowed.includes(key)) {
    throw new BadRequestError(
      `fieldSelector: ${resource.kind.plural} cannot be selected by "${key}"; allowed: ${allowed.join(', ')}`,
    );
  }
  if (operator === 'exists' || operator === 'absent') {
    throw new BadRequestError(`fieldSelector: "${key}" needs = or != and a value`);
  }
}

function parseRequirements(name: string, text: string | undefined): readonly Requirement[] {
  if (text === undefined) return [];
  return text.split(',').map((part) => parseRequirement(name, part.trim()));
}

function parseRequirement(name: string, text: string): Requirement {
  const match = /^(!?)([^=!\s]+)\s*(?:(==?|!=)\s*(.*))?$/.exec(text);
  const [, not, key, operator, value = ''] = match ?? [];
  if (key === undefined || (not === '!' && operator !== undefined)) {
    throw new BadRequestError(`${name}: "${text}" is none of key=value, key!=value, key and !key`);
  }
  if (operator === undefined) return { key, operator: not === '!' ? 'absent' : 'exists', value };
  return { key, operator: operator === '!=' ? '!=' : '=', value };
}

function holds({ operator, value }: Requirement, found: string | undefined): boolean {
  switch (operator) {
    case '=':
      return found === value;
    case '!=':
      return found !== value;
    case 'exists':
      return found !== undefined;
    case 'absent':
      return found === undefined;
  }
}
