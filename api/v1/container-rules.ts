import type { ContainerSpec, DeviceRequest, Healthcheck, Mount, Privileges } from './container.js';
import { describeValue, fieldPath } from './problems.js';
import { parseDurationMs } from './quantities.js';
import { NOT_SUPPORTED_YET, type Report } from './report.js';

const PATH = 'spec.task.container';
const RESERVED_LABEL = /^(com\.docker\.swarm|io\.swarmkeeper)\./;

/** What a container spec must keep beyond its schema. */
export function containerRules(container: ContainerSpec, report: Report): void {
  if (container.secrets?.length) report(`${PATH}.secrets`, NOT_SUPPORTED_YET);
  if (container.configs?.length) report(`${PATH}.configs`, NOT_SUPPORTED_YET);
  for (const label of Object.keys(container.labels ?? {}).filter((key) =>
    RESERVED_LABEL.test(key),
  )) {
    report(fieldPath(`${PATH}.labels`, label), 'this prefix is reserved');
  }
  checkMounts(container.mounts ?? [], report);
  checkHealth(container.healthcheck ?? {}, report);
  checkPrivileges(container.privileges, report);
  checkDeviceRequests(container.deviceRequests ?? [], report);
}

function checkPrivileges(privileges: Privileges | undefined, report: Report): void {
  const seccomp = privileges?.seccomp;
  if (seccomp && (seccomp.mode === 'custom') !== (seccomp.profile !== undefined)) {
    report(`${PATH}.privileges.seccomp.profile`, 'is given for mode custom, and only then');
  }
}

function checkDeviceRequests(requests: readonly DeviceRequest[], report: Report): void {
  for (const [index, { count, deviceIds }] of requests.entries()) {
    if (count !== undefined && deviceIds?.length) {
      report(fieldPath(`${PATH}.deviceRequests`, index), 'count and deviceIds exclude each other');
    }
  }
}

function checkHealth(check: Healthcheck, report: Report): void {
  const path = `${PATH}.healthcheck`;
  const kind = check.test?.[0];
  if (kind !== undefined && !['CMD', 'CMD-SHELL', 'NONE'].includes(kind)) {
    report(`${path}.test[0]`, `found ${describeValue(kind)}, expected CMD, CMD-SHELL or NONE`);
  }
  for (const name of ['interval', 'timeout', 'startPeriod', 'startInterval'] as const) {
    const ms = parseDurationMs(check[name] ?? '0');
    if (ms !== undefined && ms !== 0 && ms < 1) {
      report(`${path}.${name}`, `found ${String(check[name])}, expected 0 or at least 1ms`);
    }
  }
}

function checkMounts(mounts: readonly Mount[], report: Report): void {
  const targets = new Set<string>();
  for (const [index, mount] of mounts.entries()) {
    const path = fieldPath(`${PATH}.mounts`, index);
    if (targets.has(mount.target)) report(`${path}.target`, `${mount.target} is mounted twice`);
    targets.add(mount.target);
    checkMountSource(path, mount, report);
    checkMountOptions(path, mount, report);
  }
}

const NEEDS_SOURCE = ['bind', 'image', 'npipe'];
/** An absolute path, or a template that will make one. */
const NODE_PATH = /^(\/|[A-Za-z]:\\|\{\{)/;

function checkMountSource(path: string, { type = 'volume', source }: Mount, report: Report): void {
  if (source === undefined) {
    if (NEEDS_SOURCE.includes(type)) report(`${path}.source`, `is required for type ${type}`);
    return;
  }
  if (type === 'tmpfs') report(`${path}.source`, 'a tmpfs has no source');
  if (type === 'bind' && !NODE_PATH.test(source)) {
    const found = describeValue(source);
    report(`${path}.source`, `found ${found}, expected an absolute path on the node`);
  }
}

function checkMountOptions(path: string, mount: Mount, report: Report): void {
  const { type = 'volume' } = mount;
  if (type === 'cluster') report(`${path}.type`, `cluster is ${NOT_SUPPORTED_YET}`);
  for (const options of ['bind', 'volume', 'tmpfs', 'image'] as const) {
    if (mount[options] !== undefined && options !== type) {
      report(`${path}.${options}`, `is only for type ${options}; this is a ${type}`);
    }
  }
}
