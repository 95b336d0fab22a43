/** Where the API's routes are. One place for server and clients. */
export const paths = {
  ca: '/v1/ca',
  join: '/v1/join',
  renew: '/v1/certificates/renew',
  session: '/v1/session',
  sessionStatus: '/v1/session/status',
  sessionStream: (streamId: string) => `/v1/session/streams/${streamId}`,
  joinTokens: '/v1/join-tokens',
  acceptHistory: '/v1/cluster/accept-history',
  version: '/v1/version',
  apiResources: '/v1/api-resources',
  openapi: '/v1/openapi.json',
  list: (plural: string) => `/v1/${plural}`,
  object: (plural: string, name: string) => `/v1/${plural}/${encodeURIComponent(name)}`,
  serviceLogs: (name: string) => `/v1/services/${encodeURIComponent(name)}/logs`,
  serviceRollout: (name: string) => `/v1/services/${encodeURIComponent(name)}/rollout`,
  taskLogs: (name: string) => `/v1/tasks/${encodeURIComponent(name)}/logs`,
} as const;
