import { findFailingConstraint, parseConstraint } from '../scheduler/index.js';
import type { Constraint, SchedulingNode } from '../scheduler/index.js';

/** Tells nodes that keep all constraints. One that cannot be read matches no node, as in the scheduler. */
export function matcherOf(texts: readonly string[]): (node: SchedulingNode) => boolean {
  const constraints = texts.map(readConstraint);
  return (node) =>
    constraints.every(
      (constraint) =>
        constraint !== undefined && findFailingConstraint([constraint], node) === undefined,
    );
}

function readConstraint(text: string): Constraint | undefined {
  try {
    return parseConstraint(text);
  } catch {
    return undefined;
  }
}
