import { parseConstraint } from './constraint/constraint.js';
import type { Constraint } from './constraint/constraint.js';
import { presenceOf } from './filters/affinity.js';
import { columnTest } from './filters/constraints.js';
import type { FilterContext } from './filters/index.js';
import type { AffinityTerm, SoftConstraint } from './types.js';

/** What a node lacks of what a group would like: the sum of the weights of wishes that it does not meet. */
export interface Penalty {
  at(slot: number): number;
  /** The wishes that a node does not meet, in words. */
  unmetAt(slot: number): readonly string[];
  /**
   * Set when a placement of the group can change what nodes are worth. It is told of each, and says whether
   * one may have become better.
   */
  readonly placed?: ((slot: number) => boolean) | undefined;
}

interface Wish {
  readonly words: string;
  readonly weight: number;
  isMet(slot: number): boolean;
  placed?(slot: number): boolean;
}

/** Makes the penalty for a group; undefined when it has no wishes that can be read. */
export function penaltyFor(context: FilterContext): Penalty | undefined {
  const { soft, affinity, antiAffinity } = context.group;
  if (soft === undefined && affinity === undefined && antiAffinity === undefined) return undefined;
  const wishes = [
    ...(soft ?? []).flatMap((wish) => softWish(wish, context)),
    ...(affinity ?? []).flatMap((term) => nearWish(term, context)),
    ...(antiAffinity ?? []).flatMap((term) => farWish(term, context)),
  ];
  if (wishes.length === 0) return undefined;
  const wide = wishes.filter((wish) => wish.placed !== undefined);
  return {
    at: (slot) => {
      let sum = 0;
      for (const wish of wishes) if (!wish.isMet(slot)) sum += wish.weight;
      return sum;
    },
    unmetAt: (slot) => wishes.filter((wish) => !wish.isMet(slot)).map(({ words }) => words),
    ...(wide.length > 0 && {
      placed: (slot: number) =>
        wide.reduce((isBetter, wish) => wish.placed?.(slot) === true || isBetter, false),
    }),
  };
}

function softWish(
  { constraint: text, weight }: SoftConstraint,
  { ledger }: FilterContext,
): readonly Wish[] {
  const constraint = readConstraint(text);
  if (constraint === undefined) return [];
  const isMet = columnTest(constraint, ledger.state.table);
  return [{ words: `${constraint.text} (${weight})`, weight, isMet }];
}

function nearWish(term: AffinityTerm, context: FilterContext): readonly Wish[] {
  const { weight, serviceId } = term;
  const presence = weight === undefined ? undefined : presenceOf(context, term);
  if (weight === undefined || presence === undefined) return [];
  const isOwn = serviceId === context.group.serviceId;
  return [
    {
      words: `near ${term.service} (${weight})`,
      weight,
      // Before its first task is anywhere, a service that likes to be together is as well off everywhere.
      isMet: (slot) => presence.isNear(slot) || (isOwn && !presence.isAnywhere),
      ...(isOwn && {
        placed: (slot: number) => {
          const wasAnywhere = presence.isAnywhere;
          return presence.add(slot) && wasAnywhere;
        },
      }),
    },
  ];
}

function farWish(term: AffinityTerm, context: FilterContext): readonly Wish[] {
  const { weight, serviceId } = term;
  const presence = weight === undefined ? undefined : presenceOf(context, term);
  if (weight === undefined || presence === undefined) return [];
  const isOwn = serviceId === context.group.serviceId;
  return [
    {
      words: `away from ${term.service} (${weight})`,
      weight,
      isMet: (slot) => !presence.isNear(slot),
      ...(isOwn && {
        placed: (slot: number) => {
          presence.add(slot);
          return false;
        },
      }),
    },
  ];
}

function readConstraint(text: string): Constraint | undefined {
  try {
    return parseConstraint(text);
  } catch {
    return undefined;
  }
}
