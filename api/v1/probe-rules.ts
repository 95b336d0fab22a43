import type { ContainerSpec } from './container.js';
import { effectiveProbe, stopGraceMs } from './effective-probes.js';
import { preStopBudgetMs, type Hook } from './hooks.js';
import type { Probe } from './probes.js';
import { formatDurationMs, parseDurationMs } from './quantities.js';
import type { Report } from './report.js';

const PROBES = 'spec.task.container.probes';
const PRE_STOP = 'spec.task.container.hooks.preStop';
const DAY_MS = 86_400_000;
const MIN_PERIOD_MS = 100;
/** Each try starts a process: more often, the checks would be the node's main business. */
const MIN_EXEC_PERIOD_MS = 1_000;
const MIN_TIMEOUT_MS = 10;

/** What the probes and hooks of a container must keep beyond their schemas. */
export function probeRules(container: ContainerSpec, report: Report): void {
  for (const name of ['startup', 'readiness', 'liveness'] as const) {
    const probe = container.probes?.[name];
    if (!probe) continue;
    const path = `${PROBES}.${name}`;
    checkKinds(path, probe, ['http', 'tcp', 'exec'], report);
    checkDurations(path, probe, report);
    checkNetwork(path, container, probe, report);
    if (name !== 'readiness' && (probe.successThreshold ?? 1) !== 1) {
      const found = String(probe.successThreshold);
      report(`${path}.successThreshold`, `found ${found}, expected 1: only readiness counts them`);
    }
  }
  const hook = container.hooks?.preStop;
  if (hook) checkPreStop(container, hook, report);
}

/** One of them decides what is done; two would leave open which. */
function checkKinds<T extends object>(
  path: string,
  value: T,
  kinds: readonly (keyof T & string)[],
  report: Report,
): void {
  const given = kinds.filter((kind) => value[kind] !== undefined);
  if (given.length === 1) return;
  const found = given.length === 0 ? 'none' : given.join(' and ');
  report(path, `found ${found} of ${kinds.join(', ')}; expected exactly one`);
}

function checkDurations(path: string, probe: Probe, report: Report): void {
  const { periodMs, timeoutMs, initialDelayMs, action } = effectiveProbe(probe);
  const isExec = probe.exec !== undefined && action.kind === 'exec';
  const minPeriodMs = isExec ? MIN_EXEC_PERIOD_MS : MIN_PERIOD_MS;
  const bounds = [
    ['period', periodMs, minPeriodMs],
    ['timeout', timeoutMs, MIN_TIMEOUT_MS],
    ['initialDelay', initialDelayMs, 0],
  ] as const;
  for (const [field, ms, minMs] of bounds) {
    if (ms >= minMs && ms <= DAY_MS) continue;
    const expected =
      ms > DAY_MS ? 'at most 24h' : `at least ${formatDurationMs(minMs)}${isExec ? ' (exec)' : ''}`;
    report(`${path}.${field}`, `found ${String(probe[field])}, expected ${expected}`);
  }
}

function checkNetwork(
  path: string,
  { networkMode }: ContainerSpec,
  { http, tcp }: Pick<Probe, 'http' | 'tcp'>,
  report: Report,
): void {
  if (networkMode !== 'none') return;
  for (const [kind, action] of Object.entries({ http, tcp })) {
    if (action === undefined) continue;
    report(
      `${path}.${kind}`,
      'needs an address, and networkMode none gives the container none; use exec',
    );
  }
}

function checkPreStop(container: ContainerSpec, hook: Hook, report: Report): void {
  checkKinds(PRE_STOP, hook, ['exec', 'http', 'sleep'], report);
  checkNetwork(PRE_STOP, container, hook.http ? { http: hook.http } : {}, report);
  const graceMs = stopGraceMs(container);
  const budgetMs = preStopBudgetMs(graceMs);
  if (budgetMs <= 0) {
    report(PRE_STOP, 'needs a stopGracePeriod above 0s, of which it is a part');
    return;
  }
  const sleepMs = parseDurationMs(hook.sleep ?? '0') ?? 0;
  if (sleepMs <= budgetMs) return;
  const [most, grace] = [formatDurationMs(budgetMs), formatDurationMs(graceMs)];
  report(
    `${PRE_STOP}.sleep`,
    `found ${String(hook.sleep)}, expected at most ${most} of the stopGracePeriod of ${grace}`,
  );
}
