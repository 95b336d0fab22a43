import { holds, parseSelector, type Requirement } from '../../../api/v1/index.js';
import { BadRequestError } from '../../base/index.js';
import type { Reader } from './reader.js';
import type { Resource } from './resource.js';

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
  const found = text === undefined ? [] : parseSelector(text);
  if ('problem' in found) throw new BadRequestError(`${name}: ${found.problem}`);
  return found;
}
