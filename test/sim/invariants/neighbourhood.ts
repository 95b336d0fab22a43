import {
  isWanted,
  type Placement,
  type StoredNode,
  type StoredTask,
} from '../../../api/v1/index.js';
import { attributeOf } from './attributes.js';
import type { Truth } from './truth.js';

type Neighbours = NonNullable<Placement['affinity']>;

/** Why a task may not be on a node because of what else is there or near. */
export function whyNotThere(
  truth: Truth,
  node: StoredNode,
  task: StoredTask,
  placedTogether: ReadonlySet<string>,
): string | undefined {
  const placement = truth.revisionOf(task)?.template.task.placement ?? {};
  const others = [...truth.tasks.values()].filter(
    (other) => other.metadata.uid !== task.metadata.uid && isThere(truth, other),
  );
  const asked = { truth, node, task, others };
  return (
    tooManyNear(asked, placement, placedTogether) ??
    tooFar(asked, placement) ??
    tooNear(asked, placement) ??
    unwelcome(asked, placedTogether)
  );
}

interface Asked {
  readonly truth: Truth;
  readonly node: StoredNode;
  readonly task: StoredTask;
  /** All tasks that are wanted and have a node. */
  readonly others: readonly StoredTask[];
}

function isThere(truth: Truth, task: StoredTask): boolean {
  const { nodeId, desiredState } = task.spec;
  if (nodeId === undefined || !truth.serviceOf(task)) return false;
  return isWanted(desiredState) && !truth.hasEnded(task);
}

/** Of tasks that are placed together, those of one revision are placed before those of another. */
function tooManyNear(
  asked: Asked,
  { maxPer = [] }: Placement,
  placedTogether: ReadonlySet<string>,
): string | undefined {
  const { spec } = asked.task;
  const full = maxPer.find(({ key, max }) => {
    const near = asked.others.filter(
      (other) =>
        other.spec.serviceUid === spec.serviceUid &&
        (other.spec.revision === spec.revision || !placedTogether.has(other.metadata.uid)) &&
        isNear(asked, other, key),
    );
    return near.length >= max;
  });
  return full && `more than ${full.max} per ${full.key}`;
}

/**
 * Who is told to stop while others are placed beside it has been there: they would be left alone a moment later
 * as well. The first task of a service that wants to be with itself may be anywhere.
 */
function tooFar(asked: Asked, { affinity = [] }: Placement): string | undefined {
  const missed = required(affinity).find(({ service, topology }) => {
    const wanted = asked.others.filter(({ spec }) => spec.service === service);
    if (wanted.length === 0 && service === asked.task.spec.service) return false;
    const there = [...asked.truth.tasks.values()].filter(
      (other) => other.spec.service === service && !asked.truth.hasEnded(other),
    );
    return !there.some((other) => isNear(asked, other, topology));
  });
  return missed && `no task of ${missed.service} is near`;
}

function tooNear(asked: Asked, { antiAffinity = [] }: Placement): string | undefined {
  const hit = required(antiAffinity).find(({ service, topology }) =>
    asked.others.some(({ spec, ...other }) => {
      return spec.service === service && isNear(asked, { ...other, spec }, topology);
    }),
  );
  return hit && `a task of ${hit.service} is near`;
}

/**
 * Those of other services that are there want its service away; who was placed in the same write may have come
 * after it. Of its own service, its own revision speaks.
 */
function unwelcome(asked: Asked, placedTogether: ReadonlySet<string>): string | undefined {
  const { truth, task } = asked;
  const host = asked.others.find((other) => {
    const isSibling = other.spec.serviceUid === task.spec.serviceUid;
    if (isSibling || placedTogether.has(other.metadata.uid)) return false;
    const terms = truth.revisionOf(other)?.template.task.placement?.antiAffinity ?? [];
    return required(terms).some(
      ({ service, topology }) => service === task.spec.service && isNear(asked, other, topology),
    );
  });
  return host && `${host.metadata.name} wants it away`;
}

const required = (terms: Neighbours): Neighbours =>
  terms.filter(({ weight }) => weight === undefined);

/** Default: on the same node. Without the label, a node is near to those without it. */
function isNear({ truth, node }: Asked, other: StoredTask, topology = 'node.id'): boolean {
  const where = truth.nodes.get(other.spec.nodeId ?? '');
  if (!where) return false;
  return (attributeOf(truth, where, topology) ?? '') === (attributeOf(truth, node, topology) ?? '');
}
