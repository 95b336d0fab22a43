import type { CallOptions } from './call.js';

/** The engine's own states of a container. */
export const CONTAINER_STATES = [
  'created',
  'running',
  'paused',
  'restarting',
  'removing',
  'exited',
  'dead',
] as const;
export type ContainerState = (typeof CONTAINER_STATES)[number];

/** Which containers a list shows. */
export interface ContainerFilter extends CallOptions {
  /** Label and value that must both match; an empty value asks for the label alone. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Also those that do not run. Default false. */
  readonly all?: boolean;
}

/** A container as a list shows it. */
export interface ContainerSummary {
  readonly id: string;
  /** Without the leading slash. */
  readonly names: readonly string[];
  readonly image: string;
  readonly state: ContainerState;
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly createdAt: string;
  /** Read from the engine's words (`Exited (3) 2 minutes ago`): a hint; inspect for the truth. */
  readonly exitCodeHint?: number;
}

/** The engine's verdict on a container with a health check. */
export type HealthState = 'starting' | 'healthy' | 'unhealthy';

/** Outcome of a container's health checks. */
export interface ContainerHealth {
  readonly state: HealthState;
  readonly failingStreak: number;
  /** What the last check printed, cut by the engine at 4 KiB; undefined before the first. */
  readonly lastOutput?: string;
}

/** A port of the container that is reachable on the host. */
export interface PublishedPort {
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly hostIp: string;
  readonly hostPort: number;
}

/** A container as inspect shows it. */
export interface ContainerInspection {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly state: ContainerState;
  /** On the host; undefined while it does not run. */
  readonly pid?: number;
  /** Of the last run; undefined when it never ended. */
  readonly exitCode?: number;
  readonly oomKilled: boolean;
  /** Why the engine could not start it, in its words. */
  readonly error?: string;
  /** RFC 3339; undefined when it never happened. */
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** Undefined without a health check. */
  readonly health?: ContainerHealth;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly PublishedPort[];
  /** Where the host reaches it: its first address of any network; undefined when it has none now. */
  readonly address?: string;
  /** It has no network of its own: its ports are the host's. */
  readonly usesHostNetwork: boolean;
  /** As it was asked for. */
  readonly image: string;
  /** Content id (`sha256:…`). */
  readonly imageId: string;
  readonly tty: boolean;
  readonly stopSignal?: string;
}

/** What the engine made of a request to create. */
export interface CreatedContainer {
  readonly id: string;
  readonly warnings: readonly string[];
}

/** How a container's last run ended. */
export interface ContainerExit {
  readonly exitCode: number;
  /** The engine's own trouble with waiting, if any. */
  readonly error?: string;
}
