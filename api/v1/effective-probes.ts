import type { ContainerSpec } from './container.js';
import type { ExecAction, HttpAction, Probe, TcpAction } from './probes.js';
import { durationMs } from './quantities.js';
import type { RevisionTemplate } from './service-revision.js';

/** Docker's grace between the stop signal and SIGKILL. */
const DEFAULT_STOP_GRACE_MS = 10_000;

/** What a probe does, defaults included. */
export type ProbeAction =
  | ({ readonly kind: 'http' } & Required<HttpAction>)
  | ({ readonly kind: 'tcp' } & TcpAction)
  | ({ readonly kind: 'exec' } & ExecAction);

/** A probe with every default filled in. */
export interface EffectiveProbe {
  readonly action: ProbeAction;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly initialDelayMs: number;
  readonly failureThreshold: number;
  readonly successThreshold: number;
}

/** Reads a probe, defaults included. */
export function effectiveProbe(probe: Probe): EffectiveProbe {
  return {
    action: actionOf(probe),
    periodMs: durationMs(probe.period, 10_000),
    timeoutMs: durationMs(probe.timeout, 1_000),
    initialDelayMs: durationMs(probe.initialDelay, 0),
    failureThreshold: probe.failureThreshold ?? 3,
    successThreshold: probe.successThreshold ?? 1,
  };
}

/** Reads a request, defaults included. */
export const effectiveHttp = ({
  path = '/',
  port,
  scheme = 'http',
  headers = {},
}: HttpAction): Required<HttpAction> => ({ path, port, scheme, headers });

/** How long a task's container may take to stop, its preStop hook included. Milliseconds. */
export const stopGraceMs = (container: ContainerSpec): number =>
  durationMs(container.stopGracePeriod, DEFAULT_STOP_GRACE_MS);

/** How long a task must have been in service to count as available. Milliseconds. */
export const minReadyMs = ({ task }: RevisionTemplate): number => durationMs(task.minReady, 0);

function actionOf({ http, tcp, exec }: Probe): ProbeAction {
  if (http) return { kind: 'http', ...effectiveHttp(http) };
  if (tcp) return { kind: 'tcp', ...tcp };
  return { kind: 'exec', command: exec?.command ?? [] };
}
