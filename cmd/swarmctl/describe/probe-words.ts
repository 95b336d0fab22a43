import {
  durationMs,
  effectiveProbe,
  formatDurationMs,
  type ExecAction,
  type Hook,
  type HttpAction,
  type Probe,
  type ProbeAction,
  type TaskTemplate,
} from '../../../api/v1/index.js';
import type { SheetRow } from './sheet.js';

/** Probes, hooks and when a task counts as available; nothing for what nobody wrote. */
export function probeRows({ container, minReady }: TaskTemplate): readonly SheetRow[] {
  const { startup, readiness, liveness } = container.probes ?? {};
  const isPatient = durationMs(minReady, 0) > 0;
  return [
    ['Startup', startup && probeWords(startup)],
    ['Readiness', readiness && probeWords(readiness)],
    ['Liveness', liveness && probeWords(liveness)],
    ['Available', isPatient ? `after ${minReady ?? ''} in service` : undefined],
    ['Before stop', container.hooks?.preStop && hookWords(container.hooks.preStop)],
  ];
}

/** `GET http port 80 /ready (every 10s, timeout 1s, fails after 3)`. */
function probeWords(probe: Probe): string {
  const { action, periodMs, timeoutMs, initialDelayMs, failureThreshold, successThreshold } =
    effectiveProbe(probe);
  const words = [
    `every ${formatDurationMs(periodMs)}`,
    `timeout ${formatDurationMs(timeoutMs)}`,
    ...(initialDelayMs > 0 ? [`after ${formatDurationMs(initialDelayMs)}`] : []),
    `fails after ${String(failureThreshold)}`,
    ...(successThreshold > 1 ? [`passes after ${String(successThreshold)}`] : []),
  ];
  return `${actionWords(action)} (${words.join(', ')})`;
}

function actionWords(action: ProbeAction): string {
  switch (action.kind) {
    case 'http':
      return httpWords(action);
    case 'tcp':
      return `connect to port ${String(action.port)}`;
    case 'exec':
      return execWords(action);
  }
}

function hookWords({ exec, http, sleep }: Hook): string {
  if (http) return httpWords(http);
  return exec ? execWords(exec) : `sleep ${sleep ?? ''}`;
}

const httpWords = ({ scheme = 'http', port, path = '/' }: HttpAction): string =>
  `GET ${scheme} port ${String(port)} ${path}`;

const execWords = ({ command }: ExecAction): string => `run ${command.join(' ')}`;
