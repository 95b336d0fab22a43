import type {
  Disruption,
  OnNodeLoss,
  Placement,
  Probes,
  Resources,
  RestartPolicy,
  RollbackPolicy,
  RolloutAction,
  ServiceMode,
  UpdatePolicy,
} from '../../../api/v1/index.js';
import type { WorldShape } from '../cluster/sim-world.js';
import type { ImageKind } from '../cluster/images.js';

/** What a person wants of a service. */
export interface ServiceWish {
  readonly mode: ServiceMode;
  readonly image: ImageKind;
  /** A number that tells versions of an image apart. */
  readonly version: number;
  readonly placement?: Placement;
  readonly reservations?: Resources['reservations'];
  readonly priority?: number;
  readonly probes?: Probes;
  readonly hasHealthcheck?: boolean;
  readonly restartPolicy?: RestartPolicy;
  readonly stopGrace?: string;
  readonly update?: UpdatePolicy;
  readonly rollback?: RollbackPolicy;
  readonly minReady?: string;
  readonly disruption?: Disruption;
  readonly onNodeLoss?: OnNodeLoss;
}

/** What people do. Machines and services are named by number, so that a step makes sense in any world. */
export type Deed =
  | { readonly kind: 'apply'; readonly service: number; readonly wish: ServiceWish }
  | { readonly kind: 'scale'; readonly service: number; readonly replicas: number }
  | { readonly kind: 'delete'; readonly service: number }
  | { readonly kind: 'rollout'; readonly service: number; readonly action: RolloutAction }
  | {
      readonly kind: 'availability';
      readonly node: number;
      readonly availability: 'active' | 'pause' | 'drain';
      readonly isForced: boolean;
    }
  | { readonly kind: 'label'; readonly node: number; readonly zone: string }
  | { readonly kind: 'remove-node'; readonly node: number }
  | { readonly kind: 'history-limit'; readonly limit: number };

/** Which way a link is cut. */
export type Direction = 'both' | 'to' | 'from';

/** What goes wrong by itself; `forMs` later it is well again. */
export type Fault =
  | {
      readonly kind: 'manager-kill' | 'manager-stop' | 'manager-freeze' | 'manager-power';
      readonly manager: number;
      readonly forMs: number;
    }
  | {
      readonly kind: 'manager-cut';
      readonly manager: number;
      readonly direction: Direction;
      readonly forMs: number;
    }
  | {
      readonly kind: 'watch-lag';
      readonly manager: number;
      readonly mostMs: number;
      readonly forMs: number;
    }
  | {
      readonly kind: 'node-cut';
      readonly node: number;
      readonly direction: Direction;
      /** Only from this manager; absent: from all. */
      readonly manager?: number;
      readonly forMs: number;
    }
  | {
      readonly kind:
        | 'node-power'
        | 'agent-kill'
        | 'agent-freeze'
        | 'engine-kill'
        | 'engine-kill-live'
        | 'engine-freeze'
        | 'engine-bad';
      readonly node: number;
      readonly forMs: number;
    }
  | {
      readonly kind: 'slow';
      readonly machine: number;
      readonly factor: number;
      readonly forMs: number;
    }
  | { readonly kind: 'clock'; readonly machine: number; readonly offsetMs: number }
  | { readonly kind: 'container-end'; readonly pick: number; readonly exitCode: number }
  | { readonly kind: 'container-remove'; readonly pick: number }
  | { readonly kind: 'etcd-away'; readonly watches: 'broken' | 'silent'; readonly forMs: number }
  | {
      /** Of a whole machine, with all that runs on it. */
      readonly kind: 'host-power';
      readonly machine: number;
      readonly forMs: number;
    }
  | {
      /** These machines and the others do not hear each other, or one side does not hear the other. */
      readonly kind: 'partition';
      readonly machines: readonly number[];
      readonly direction: Direction;
      readonly forMs: number;
    }
  | {
      readonly kind: 'member-kill' | 'member-freeze';
      readonly member: number;
      readonly forMs: number;
    }
  /** So many members of etcd are killed that the others are no majority. */
  | { readonly kind: 'quorum-loss'; readonly forMs: number }
  | { readonly kind: 'all-managers'; readonly forMs: number }
  | { readonly kind: 'etcd-restart' }
  | { readonly kind: 'etcd-compact' };

/** One thing that somebody does or that goes wrong, at an instant of true time. */
export type Step = { readonly atMs: number } & (Deed | Fault);

/** A whole story: the world as it begins, and what happens in it. */
export interface Scenario {
  readonly shape: WorldShape;
  readonly steps: readonly Step[];
  /** When everything is well again. */
  readonly calmMs: number;
  /** How long nothing may happen at the end. */
  readonly quietMs: number;
  /** Clocks of managers are so wrong that waits may take as long; only what must never happen is checked. */
  readonly isTimeless: boolean;
}
