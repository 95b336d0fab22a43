import {
  parseBytes,
  parseCpuNano,
  type ContainerSpec,
  type Port,
  type Privileges,
  type Resources,
  type RevisionTemplate,
} from '../../api/v1/index.js';
import type { CreateHostConfig, CreatePortBinding } from '../engine/index.js';
import { createMount } from './container-mounts.js';
import { defined, optional } from './defined.js';
import type { Expand } from './template.js';

/** How the container sits on its node. */
export function createHostConfig(
  { task, endpoint }: RevisionTemplate,
  expand: Expand,
): CreateHostConfig {
  const { container } = task;
  return defined({
    RestartPolicy: { Name: 'no' } as const,
    ...namespaces(container),
    ...resourceLimits(task.resources ?? {}),
    ...kernelSettings(container),
    ...security(container),
    ...devices(container),
    Mounts: optional(container.mounts, (mounts) =>
      mounts.map((mount) => createMount(mount, expand)),
    ),
    LogConfig: optional(task.logDriver, ({ name, options }) =>
      defined({ Type: name, Config: options }),
    ),
    PortBindings: optional(endpoint?.ports, portBindings),
  });
}

const namespaces = (container: ContainerSpec) => ({
  Init: container.init,
  ReadonlyRootfs: container.readOnly,
  Runtime: container.runtime,
  Isolation: container.isolation === 'default' ? undefined : container.isolation,
  NetworkMode: container.networkMode === 'default' ? undefined : container.networkMode,
  PidMode: container.pidMode,
  IpcMode: container.ipcMode,
  UTSMode: container.utsMode,
  UsernsMode: container.usernsMode,
  CgroupnsMode: container.cgroupnsMode,
  CgroupParent: container.cgroupParent,
  StorageOpt: container.storageOptions,
  Dns: container.dnsConfig?.nameservers,
  DnsSearch: container.dnsConfig?.search,
  DnsOptions: container.dnsConfig?.options,
  ExtraHosts: optional(container.hosts, (hosts) => hosts.map((host) => host.replace(/[:=]/, ':'))),
});

const resourceLimits = ({ limits, reservations, memorySwap, memorySwappiness }: Resources) => ({
  NanoCpus: optional(limits?.cpus, parseCpuNano),
  Memory: optional(limits?.memory, parseBytes),
  MemoryReservation: optional(reservations?.memory, parseBytes),
  MemorySwap: optional(memorySwap, (swap) => swapBytes(swap, limits?.memory)),
  MemorySwappiness: memorySwappiness,
  PidsLimit: limits?.pids === 0 ? undefined : limits?.pids,
});

/** Users give the swap alone; the engine wants memory and swap together. */
function swapBytes(swap: string | number, limit: string | number | undefined): number {
  if (swap === -1) return -1;
  return (parseBytes(swap) ?? 0) + (parseBytes(limit ?? 0) ?? 0);
}

const kernelSettings = (container: ContainerSpec) => ({
  ShmSize: optional(container.shmSize, parseBytes),
  OomScoreAdj: container.oomScoreAdj,
  CpuShares: container.cpuShares,
  CpusetCpus: container.cpuset,
  BlkioWeight: container.blkioWeight,
  Sysctls: optional(container.sysctls, (sysctls) =>
    Object.fromEntries(Object.entries(sysctls).map(([key, value]) => [key, String(value)])),
  ),
  Ulimits: container.ulimits?.map(({ name, soft, hard }) => ({
    Name: name,
    Soft: soft,
    Hard: hard ?? soft,
  })),
});

function security(container: ContainerSpec) {
  const options = securityOptions(container.privileges ?? {});
  return {
    Privileged: container.privileged,
    CapAdd: container.capabilityAdd?.map(capability),
    CapDrop: container.capabilityDrop?.map(capability),
    GroupAdd: container.groups,
    SecurityOpt: options.length > 0 ? options : undefined,
  };
}

/** `net_admin`, `CAP_NET_ADMIN` and `NET_ADMIN` are one. */
function capability(name: string): string {
  const upper = name.toUpperCase();
  return upper === 'ALL' || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
}

function securityOptions(privileges: Privileges): readonly string[] {
  return [
    ...selinuxOptions(privileges.selinuxContext ?? {}),
    ...seccompOptions(privileges.seccomp),
    ...(privileges.apparmor?.mode === 'disabled' ? ['apparmor=unconfined'] : []),
    ...(privileges.noNewPrivileges === true ? ['no-new-privileges=true'] : []),
    ...credentialSpecOptions(privileges.credentialSpec),
  ];
}

function selinuxOptions({
  disable,
  ...parts
}: NonNullable<Privileges['selinuxContext']>): readonly string[] {
  if (disable === true) return ['label=disable'];
  return Object.entries(parts).map(([part, value]) => `label=${part}:${value}`);
}

function seccompOptions(seccomp: Privileges['seccomp']): readonly string[] {
  if (seccomp?.mode === 'unconfined') return ['seccomp=unconfined'];
  return seccomp?.mode === 'custom' ? [`seccomp=${seccomp.profile ?? ''}`] : [];
}

function credentialSpecOptions(spec: Privileges['credentialSpec']): readonly string[] {
  if (spec?.file !== undefined) return [`credentialspec=file://${spec.file}`];
  return spec?.registry === undefined ? [] : [`credentialspec=registry://${spec.registry}`];
}

const devices = (container: ContainerSpec) => ({
  Devices: container.devices?.map(({ hostPath, containerPath, permissions }) => ({
    PathOnHost: hostPath,
    PathInContainer: containerPath ?? hostPath,
    CgroupPermissions: permissions ?? 'rwm',
  })),
  DeviceCgroupRules: container.deviceCgroupRules,
  DeviceRequests: container.deviceRequests?.map((request) =>
    defined({
      Driver: request.driver,
      Count: request.count,
      DeviceIDs: request.deviceIds,
      Capabilities: request.capabilities,
      Options: request.options,
    }),
  ),
});

/** `80/tcp`, as the engine names a port of the container. */
export const portKey = ({ target, protocol = 'tcp' }: Port): string =>
  `${String(target)}/${protocol}`;

function portBindings(ports: readonly Port[]): Record<string, CreatePortBinding[]> {
  const bindings: Record<string, CreatePortBinding[]> = {};
  for (const port of ports) {
    const binding = { HostPort: port.published === undefined ? '' : String(port.published) };
    (bindings[portKey(port)] ??= []).push(binding);
  }
  return bindings;
}
