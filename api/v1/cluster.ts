import { Type, type Static } from 'typebox';
import { Applied } from './applied.js';
import { Condition, ObjectMeta, Timestamp, duration, type StoredMeta } from './common.js';
import { LogDriver } from './log-driver.js';
import { PREEMPTIONS, STRATEGIES } from './placement.js';

const closed = { additionalProperties: false } as const;

/** Settings of the whole cluster. */
export const ClusterSpec = Type.Object(
  {
    taskHistoryLimit: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 100,
        default: 5,
        description: 'Tasks kept per slot, the live one included.',
      }),
    ),
    nodeHeartbeat: Type.Optional(
      duration({ default: '2s', description: 'Period of node heartbeats.' }),
    ),
    nodeUnknownAfter: Type.Optional(
      duration({
        default: '5s',
        description: 'A silent node is unknown after this: out of service, nothing restarted.',
      }),
    ),
    nodeLostAfter: Type.Optional(
      duration({
        default: '10s',
        description: 'A silent node is lost after this: its tasks are replaced.',
      }),
    ),
    certificateExpiry: Type.Optional(duration({ default: '2160h', description: 'At least 1h.' })),
    defaultLogDriver: Type.Optional(LogDriver),
    scheduling: Type.Optional(
      Type.Object(
        {
          strategy: Type.Optional(
            Type.Enum([...STRATEGIES], {
              default: 'spread',
              description: 'For services that name none. spread: the emptiest node first.',
            }),
          ),
          preemption: Type.Optional(
            Type.Enum([...PREEMPTIONS], {
              default: 'off',
              description:
                'on: tasks that find no node send tasks of services of a lower priority away from one.',
            }),
          ),
        },
        { ...closed, description: 'How tasks find their nodes.' },
      ),
    ),
  },
  { ...closed, description: 'Settings of the whole cluster.' },
);
export type ClusterSpec = Static<typeof ClusterSpec>;

/** Reasons for which the condition `EtcdHealthy` of the cluster is false, worst first. */
export const STORE_TROUBLES = [
  'OutOfReach',
  'Corrupt',
  'NoSpace',
  'MemberDown',
  'VersionNotRecommended',
] as const;

/** What is known of the cluster. */
export const ClusterStatus = Type.Object({
  clusterId: Type.String(),
  caCertificate: Type.String({ description: 'PEM. Public.' }),
  caFingerprint: Type.String({ description: 'SHA-256 of the certificate.' }),
  leader: Type.Optional(Type.String({ description: 'Id of the leading manager.' })),
  createdAt: Timestamp,
  historyAcceptedAt: Type.Optional(
    Type.String({
      ...Timestamp,
      description: 'When a person accepted a restored or replaced store last.',
    }),
  ),
  conditions: Type.Optional(
    Type.Array(Condition, { description: 'As the manager sees it that answers.' }),
  ),
});
export type ClusterStatus = Static<typeof ClusterStatus>;

/** The cluster itself; there is one, called `default`. */
export const Cluster = Type.Object(
  {
    apiVersion: Type.Literal('swarm/v1'),
    kind: Type.Literal('Cluster'),
    metadata: ObjectMeta,
    spec: ClusterSpec,
    status: Type.Optional(ClusterStatus),
    applied: Type.Optional(Applied),
  },
  { ...closed, description: 'The cluster itself; there is one, called default.' },
);
export type Cluster = Static<typeof Cluster>;

const sealedBytes = { nonce: Type.String(), ciphertext: Type.String(), tag: Type.String() };

/** Something encrypted with a key that is not in etcd (see pkg/pki). */
export const Sealed = Type.Object({
  v: Type.Literal(1),
  alg: Type.Literal('A256GCM'),
  keyId: Type.String(),
  dataKey: Type.Object(sealedBytes),
  ...sealedBytes,
});
export type Sealed = Static<typeof Sealed>;

/** The cluster as stored: with its sealed keys, which no API shows. */
export interface StoredCluster {
  readonly apiVersion: 'swarm/v1';
  readonly kind: 'Cluster';
  readonly metadata: StoredMeta;
  readonly spec: ClusterSpec;
  readonly applied?: Applied;
  /** Beside spec, because no document says it. */
  readonly history?: {
    /** A person accepted the history that the store had then. */
    readonly acceptedAt: string;
    /** Names the latest restore of a backup: what is here came out of a file, whatever etcd remembers. */
    readonly restoreId?: string;
  };
  readonly security: {
    /** PEM. */
    readonly caCertificate: string;
    /** PKCS8 PEM of the CA key. */
    readonly caKey: Sealed;
    /** Whole join tokens (SWMTKN-1-…). */
    readonly workerToken: Sealed;
    readonly managerToken: Sealed;
  };
}

/** A manager, running or away. */
export const Manager = Type.Object(
  {
    apiVersion: Type.Literal('swarm/v1'),
    kind: Type.Literal('Manager'),
    metadata: ObjectMeta,
    status: Type.Object({
      address: Type.String({ description: 'Host and port of its API.' }),
      leader: Type.Boolean(),
      reachability: Type.Enum(['reachable', 'unreachable'], {
        description:
          'reachable: it holds its place in the store, as it does at least every few seconds.',
      }),
      version: Type.String(),
      startedAt: Timestamp,
    }),
  },
  { ...closed, description: 'A manager, running or away.' },
);
export type Manager = Static<typeof Manager>;

/** What a manager stores of itself, at key managers/<id> while it runs, and at known-managers/<id> for good. */
export interface StoredManager {
  readonly id: string;
  readonly hostname: string;
  readonly address: string;
  readonly softwareVersion: string;
  readonly startedAt: string;
  readonly version: number;
}

/** Both join tokens; only admins may read them. */
export const JoinTokens = Type.Object({ worker: Type.String(), manager: Type.String() }, closed);
export type JoinTokens = Static<typeof JoinTokens>;
