import { createMetrics } from './registry.js';
import {
  agentMetrics,
  apiMetrics,
  cacheMetrics,
  certificateMetrics,
  clusterMetrics,
  controllerMetrics,
  engineMetrics,
  etcdMetrics,
  jobMetrics,
  leaderMetrics,
  processMetrics,
  rolloutMetrics,
} from './subsystems.js';

/** All metrics of a manager; call once per process. */
export function createManagerMetrics() {
  return createMetrics({
    process: processMetrics,
    certificate: certificateMetrics,
    etcd: etcdMetrics,
    cache: cacheMetrics,
    leader: leaderMetrics,
    controller: controllerMetrics,
    cluster: clusterMetrics,
    rollout: rolloutMetrics,
    job: jobMetrics,
    api: apiMetrics,
  });
}
/** The metrics of a manager. */
export type ManagerMetrics = ReturnType<typeof createManagerMetrics>;
/** Injection token of {@link ManagerMetrics}. */
export const ManagerMetrics = Symbol('ManagerMetrics');

/** All metrics of an agent; call once per process. */
export function createAgentMetrics() {
  return createMetrics({
    process: processMetrics,
    certificate: certificateMetrics,
    agent: agentMetrics,
    engine: engineMetrics,
  });
}
/** The metrics of an agent. */
export type AgentMetrics = ReturnType<typeof createAgentMetrics>;
/** Injection token of {@link AgentMetrics}. */
export const AgentMetrics = Symbol('AgentMetrics');
