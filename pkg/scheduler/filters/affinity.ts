import { findAttribute, NODE_ID } from '../attribute.js';
import { Presence } from '../domains.js';
import type { AffinityTerm } from '../types.js';
import type { Check, FilterContext } from './filter.js';

/** One required term, and where the tasks are that it is about. */
interface Term {
  readonly reason: string;
  /** Undefined for an attribute that does not parse: then every node fails, and is told so. */
  readonly presence: Presence | undefined;
  /** It is about the tasks of the group's own service. */
  readonly isOwn: boolean;
}

/**
 * Passes nodes near a task of each service that the group wants to be with. A service that wants to be
 * with itself begins anywhere.
 */
export function affinityFilter(context: FilterContext): Check | undefined {
  const terms = requiredOf(context.group.affinity).map((term) =>
    termOf(context, term, `affinity to service ${term.service}`),
  );
  return checkOf('affinity', terms, ({ presence, isOwn }, slot) => {
    if (presence === undefined) return false;
    return presence.isNear(slot) || (isOwn && !presence.isAnywhere);
  });
}

/** Passes nodes away from the tasks of services that the group avoids, and of those that avoid it. */
export function antiAffinityFilter(context: FilterContext): Check | undefined {
  const terms = requiredOf(context.group.antiAffinity).map((term) =>
    termOf(context, term, `anti-affinity to service ${term.service}`),
  );
  return checkOf(
    'anti-affinity',
    [...terms, ...avoidedBy(context)],
    ({ presence }, slot) => presence !== undefined && !presence.isNear(slot),
  );
}

/** Where the active tasks of a term's service are. */
export function presenceOf(
  { ledger, domains }: FilterContext,
  { serviceId, topology = NODE_ID.key }: AffinityTerm,
): Presence | undefined {
  const attribute = findAttribute(topology);
  if (attribute === undefined) return undefined;
  const presence = new Presence(domains.by(attribute));
  if (serviceId !== undefined) for (const slot of ledger.slotsOf(serviceId)) presence.add(slot);
  return presence;
}

function termOf(context: FilterContext, term: AffinityTerm, words: string): Term {
  const { topology = NODE_ID.key, serviceId } = term;
  const presence = presenceOf(context, term);
  const known = serviceId === undefined ? ', which does not exist' : ` (${topology})`;
  return {
    reason: presence === undefined ? `unknown key "${topology}" of an affinity` : words + known,
    presence,
    isOwn: serviceId === context.group.serviceId,
  };
}

/** Tasks that are there already and want this service away: who comes first is chance. */
function avoidedBy({ group, ledger, domains }: FilterContext): readonly Term[] {
  if (group.serviceName === undefined) return [];
  return [...ledger.slotsAvoiding(group.serviceName)].map(([key, slots]) => {
    const [by = '', topology = ''] = key.split(' ');
    const presence = new Presence(domains.by(findAttribute(topology) ?? NODE_ID));
    for (const slot of slots) presence.add(slot);
    return { reason: `anti-affinity of service ${by} (${topology})`, presence, isOwn: false };
  });
}

function requiredOf(terms: readonly AffinityTerm[] = []): readonly AffinityTerm[] {
  return terms.filter(({ weight }) => weight === undefined);
}

function checkOf(
  name: Check['name'],
  terms: readonly Term[],
  isMet: (term: Term, slot: number) => boolean,
): Check | undefined {
  if (terms.length === 0) return undefined;
  const unmet = (slot: number) => terms.find((term) => !isMet(term, slot));
  const own = terms.filter(({ isOwn }) => isOwn);
  return {
    name,
    passes: (slot) => unmet(slot) === undefined,
    reason: (slot) => unmet(slot)?.reason ?? '',
    ...(own.length > 0 && {
      placed: (slot: number) => {
        for (const { presence } of own) presence?.add(slot);
      },
    }),
  };
}
