import type { SwarmClient } from '../../pkg/client/index.js';

/** What commands need of a cluster; tests may give them another one. */
export type ClusterApi = Pick<
  SwarmClient,
  | 'acceptHistory'
  | 'apply'
  | 'backup'
  | 'close'
  | 'create'
  | 'delete'
  | 'get'
  | 'joinTokens'
  | 'list'
  | 'listAll'
  | 'logs'
  | 'managers'
  | 'patch'
  | 'placement'
  | 'plan'
  | 'renew'
  | 'replace'
  | 'runCronJob'
  | 'rollout'
  | 'version'
  | 'watch'
>;
