import {
  revisionTemplateOf,
  type RolloutOrder,
  type ServiceRollout,
  type StoredService,
  type StoredServiceRevision,
  type UpdateStatus,
} from '../../../api/v1/index.js';
import { BadRequestError, ConflictError, NotFoundError, unreachable } from '../../base/index.js';
import { templateHash } from '../../objects/index.js';
import type { Ordered } from './object-writer.js';

/** What is known of a service when an order about its rollout comes. */
export interface RolloutFacts {
  readonly service: StoredService;
  /** Of this very service, in any order. */
  readonly revisions: readonly StoredServiceRevision[];
  /** The latest update that the leader told of. */
  readonly update: UpdateStatus | undefined;
  /** ISO 8601. */
  readonly now: string;
}

/**
 * What an order makes of a service; undefined when it has been obeyed already.
 * Errors: ConflictError when there is nothing that it could be about; NotFoundError for a revision that is
 * not kept; BadRequestError.
 */
export function obeyOrder(order: RolloutOrder, facts: RolloutFacts): Ordered | undefined {
  const { mode } = facts.service.spec;
  if (mode?.replicatedJob || mode?.globalJob) {
    throw new ConflictError(`${nameOf(facts)} is a job: it has runs, and no rollout`);
  }
  if (order.toRevision !== undefined && order.action !== 'undo') {
    throw new BadRequestError(`toRevision is for undo, not for ${order.action}`);
  }
  switch (order.action) {
    case 'pause':
      return facts.service.rollout?.paused ? undefined : beside(facts, { paused: true });
    case 'resume':
      return resume(facts);
    case 'promote':
      return promote(facts);
    case 'abort':
      return abort(facts);
    case 'undo':
      return undo(facts, order.toRevision);
    case 'restart':
      return restart(facts);
    default:
      return unreachable(order.action);
  }
}

/** Goes on with what people stopped, and tries again what stopped by itself or went back. */
function resume(facts: RolloutFacts): Ordered {
  const { service, update } = facts;
  const { paused, aborted, retries = 0, ...rest }: Partial<ServiceRollout> = service.rollout ?? {};
  const isNewTry = hasStopped(update);
  if (!paused && aborted === undefined && !isNewTry) throw notPaused(facts);
  const tries = isNewTry ? retries + 1 : retries;
  return written(facts, { ...rest, ...(tries > 0 && { retries: tries }) });
}

/** It failed, or went back to an earlier revision: it goes on only as a new attempt. */
function hasStopped(update: UpdateStatus | undefined): boolean {
  if (update === undefined) return false;
  const { state, reason, to, wanted } = update;
  const isFailure = reason === 'TasksFailed' || reason === 'ProgressDeadlineExceeded';
  return isFailure || (isRollback(state) && to !== wanted);
}

function notPaused(facts: RolloutFacts): ConflictError {
  const isCanary = facts.update?.reason === 'AwaitingPromotion';
  const how = isCanary ? 'waits for its promotion: promote or abort it' : 'is not paused';
  return new ConflictError(`the rollout of ${nameOf(facts)} ${how}`);
}

const isRollback = (state: UpdateStatus['state']): boolean => state.startsWith('rollback');

function promote(facts: RolloutFacts): Ordered | undefined {
  const { service, update } = facts;
  if (service.spec.update?.canary === undefined) {
    throw new ConflictError(
      `${nameOf(facts)} has no canary to promote: spec.update.canary is not set`,
    );
  }
  if (!update || isOver(update)) {
    throw new ConflictError(`${nameOf(facts)} has no canary to promote now`);
  }
  if (service.rollout?.promoted === update.wanted) return undefined;
  return beside(facts, { promoted: update.wanted });
}

function abort(facts: RolloutFacts): Ordered | undefined {
  const { service, update } = facts;
  if (service.rollout?.aborted !== undefined && service.rollout.aborted === update?.wanted) {
    return undefined;
  }
  if (!update || isOver(update)) {
    throw new ConflictError(`no rollout of ${nameOf(facts)} is under way; undo goes back later`);
  }
  if (isRollback(update.state)) {
    throw new ConflictError(`${nameOf(facts)} is rolling back already`);
  }
  if (update.from === undefined) {
    throw new ConflictError(`${nameOf(facts)} has no earlier revision to go back to`);
  }
  const { paused: _paused, ...rest }: Partial<ServiceRollout> = service.rollout ?? {};
  return written(facts, { ...rest, aborted: update.wanted });
}

/** Takes the template from an earlier revision. Replicas, labels and policies stay. */
function undo(facts: RolloutFacts, toRevision: number | undefined): Ordered | undefined {
  const { service } = facts;
  const target = toRevision === undefined ? previousOf(facts) : requireRevision(facts, toRevision);
  const present = templateHash(revisionTemplateOf(service.spec));
  if (target.hash === present) return undefined;
  const { endpoint: _endpoint, ...spec } = service.spec;
  const {
    paused: _paused,
    aborted: _aborted,
    ...rest
  }: Partial<ServiceRollout> = service.rollout ?? {};
  const { revision, template } = target;
  return {
    ...written(facts, { ...rest, undo: revision }),
    spec: { ...spec, ...template },
    cause: `undo to revision ${revision}`,
  };
}

/** Where an automatic rollback went, else the newest revision with another template. */
function previousOf(facts: RolloutFacts): StoredServiceRevision {
  const { service, revisions, update } = facts;
  const present = templateHash(revisionTemplateOf(service.spec));
  const goneTo = update && update.to !== update.wanted ? update.to : undefined;
  const sorted = [...revisions].sort((a, b) => b.revision - a.revision);
  const found =
    sorted.find(({ revision, hash }) => revision === goneTo && hash !== present) ??
    sorted.find(({ hash }) => hash !== present);
  if (!found) throw new ConflictError(`${nameOf(facts)} has no earlier revision to go back to`);
  return found;
}

function requireRevision(facts: RolloutFacts, wanted: number): StoredServiceRevision {
  const found = facts.revisions.find(({ revision }) => revision === wanted);
  if (found) return found;
  const numbers = facts.revisions.map(({ revision }) => revision).sort((a, b) => a - b);
  throw new NotFoundError(
    `${nameOf(facts)} has no revision ${wanted}; it has ${numbers.join(', ')}`,
  );
}

/** New tasks of the same template, by the pace of an update. */
function restart(facts: RolloutFacts): Ordered {
  const { spec, rollout } = facts.service;
  if (rollout?.paused) {
    throw new ConflictError(`the rollout of ${nameOf(facts)} is paused; resume it first`);
  }
  const forceUpdate = (spec.task.forceUpdate ?? 0) + 1;
  const { undo: _undo, ...rest }: Partial<ServiceRollout> = rollout ?? {};
  return {
    ...written(facts, rest),
    spec: { ...spec, task: { ...spec.task, forceUpdate } },
    cause: 'restarted by order',
  };
}

const isOver = ({ state }: UpdateStatus): boolean =>
  state === 'completed' || state === 'rollback_completed';

const nameOf = ({ service }: RolloutFacts): string => `service ${service.metadata.name}`;

/** The orders as they are, and something more. */
function beside(facts: RolloutFacts, more: Partial<ServiceRollout>): Ordered {
  return written(facts, { ...facts.service.rollout, ...more });
}

function written({ service, now }: RolloutFacts, rollout: Partial<ServiceRollout>): Ordered {
  return { spec: service.spec, beside: { rollout: { ...rollout, changedAt: now } } };
}
