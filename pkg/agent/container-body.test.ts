import { describe, expect, it } from 'vitest';
import type { Assignment, ContainerSpec, RevisionTemplate } from '../../api/v1/index.js';
import { containerBody, containerName, type NodeFacts } from './container-body.js';

const assignment: Assignment = {
  taskId: 't1',
  name: 'web.2',
  service: 'web',
  serviceUid: 's1',
  serviceLabels: { tier: 'front' },
  slot: 2,
  desiredState: 'running',
  template: 's1/3',
};
const node: NodeFacts = {
  clusterId: 'c1',
  nodeId: 'n1',
  hostname: 'host-a',
  os: 'linux',
  architecture: 'amd64',
  engineApiVersion: '1.41',
};
type TaskPart = Partial<RevisionTemplate['task']>;
const body = (container: Partial<ContainerSpec>, task: TaskPart = {}, facts = node) =>
  containerBody(
    assignment,
    { task: { container: { image: 'nginx', ...container }, ...task } },
    facts,
  );

describe('containerBody', () => {
  it('says as little as possible for the smallest template', () => {
    const { Labels, ...rest } = body({});
    expect(rest).toEqual({ Image: 'nginx', HostConfig: { RestartPolicy: { Name: 'no' } } });
    expect(Labels).toMatchObject({
      'io.swarmkeeper.cluster': 'c1',
      'io.swarmkeeper.task': 't1',
      'io.swarmkeeper.template': 's1/3',
      'com.docker.swarm.service.name': 'web',
      'com.docker.swarm.task.name': 'web.2.t1',
    });
  });

  it.each<[string, Partial<ContainerSpec>, object]>([
    ['command', { command: ['/bin/a', 'b'] }, { Entrypoint: ['/bin/a', 'b'] }],
    ['args', { args: ['-x'] }, { Cmd: ['-x'] }],
    ['empty command: the image’s', { command: [], args: [] }, {}],
    [
      'env, numbers and booleans too',
      { env: { A: 'b', N: 1, T: true } },
      { Env: ['A=b', 'N=1', 'T=true'] },
    ],
    ['dir', { dir: '/srv' }, { WorkingDir: '/srv' }],
    ['user', { user: '1000:1000' }, { User: '1000:1000' }],
    ['hostname', { hostname: 'web-{{.Task.Slot}}' }, { Hostname: 'web-2' }],
    ['domainname', { domainname: 'example.com' }, { Domainname: 'example.com' }],
    ['tty and stdin', { tty: true, openStdin: true }, { Tty: true, OpenStdin: true }],
    ['stopSignal', { stopSignal: 'SIGQUIT' }, { StopSignal: 'SIGQUIT' }],
    ['stopGracePeriod in whole seconds', { stopGracePeriod: '1500ms' }, { StopTimeout: 2 }],
    [
      'healthcheck in nanoseconds',
      {
        healthcheck: {
          test: ['CMD', 'true'],
          interval: '1s',
          timeout: '500ms',
          startPeriod: '2m',
          retries: 2,
        },
      },
      {
        Healthcheck: {
          Test: ['CMD', 'true'],
          Interval: 1e9,
          Timeout: 5e8,
          StartPeriod: 120e9,
          Retries: 2,
        },
      },
    ],
  ])('%s', (_name, container, expected) => {
    const { Labels: _labels, HostConfig: _host, Image: _image, ...rest } = body(container);
    expect(rest).toEqual(expected);
  });

  it('tells the container which generic resources it has, as Docker does', () => {
    const assignedResources = { gpu: ['GPU-1', 'GPU-2'], 'ssd-slot': 3 };
    const template = { task: { container: { image: 'a', env: { DOCKER_RESOURCE_GPU: 'mine' } } } };
    expect(containerBody({ ...assignment, assignedResources }, template, node).Env).toEqual([
      'DOCKER_RESOURCE_GPU=mine',
      'DOCKER_RESOURCE_GPU=GPU-1,GPU-2',
      'DOCKER_RESOURCE_SSD-SLOT=3',
    ]);
    const silent = { task: { container: { image: 'a' } } };
    expect(
      containerBody({ ...assignment, assignedResources: {} }, silent, node),
    ).not.toHaveProperty('Env');
  });

  it.each<[string, Partial<ContainerSpec>, object]>([
    ['init', { init: false }, { Init: false }],
    ['readOnly', { readOnly: true }, { ReadonlyRootfs: true }],
    ['groups', { groups: ['audio'] }, { GroupAdd: ['audio'] }],
    ['hosts', { hosts: ['db:10.0.0.1', 'six=::1'] }, { ExtraHosts: ['db:10.0.0.1', 'six:::1'] }],
    [
      'dnsConfig',
      { dnsConfig: { nameservers: ['1.1.1.1'], search: ['a.b'], options: ['ndots:2'] } },
      { Dns: ['1.1.1.1'], DnsSearch: ['a.b'], DnsOptions: ['ndots:2'] },
    ],
    ['privileged', { privileged: true }, { Privileged: true }],
    [
      'capabilities in one spelling',
      { capabilityAdd: ['net_admin', 'CAP_SYS_TIME'], capabilityDrop: ['all'] },
      { CapAdd: ['CAP_NET_ADMIN', 'CAP_SYS_TIME'], CapDrop: ['ALL'] },
    ],
    [
      'sysctls',
      { sysctls: { 'net.core.somaxconn': 1024 } },
      { Sysctls: { 'net.core.somaxconn': '1024' } },
    ],
    [
      'ulimits, hard as soft when not given',
      {
        ulimits: [
          { name: 'nofile', soft: 10 },
          { name: 'core', soft: 0, hard: -1 },
        ],
      },
      {
        Ulimits: [
          { Name: 'nofile', Soft: 10, Hard: 10 },
          { Name: 'core', Soft: 0, Hard: -1 },
        ],
      },
    ],
    ['oomScoreAdj', { oomScoreAdj: -500 }, { OomScoreAdj: -500 }],
    ['isolation default is the engine’s', { isolation: 'default' }, {}],
    ['shmSize', { shmSize: '1g' }, { ShmSize: 1024 ** 3 }],
    [
      'modes',
      {
        pidMode: 'host',
        ipcMode: 'none',
        utsMode: 'host',
        usernsMode: 'host',
        cgroupnsMode: 'host',
        networkMode: 'host',
      },
      {
        PidMode: 'host',
        IpcMode: 'none',
        UTSMode: 'host',
        UsernsMode: 'host',
        CgroupnsMode: 'host',
        NetworkMode: 'host',
      },
    ],
    ['networkMode default is the engine’s', { networkMode: 'default' }, {}],
    [
      'devices',
      { devices: [{ hostPath: '/dev/fuse' }], deviceCgroupRules: ['c 1:* r'] },
      {
        Devices: [
          { PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'rwm' },
        ],
        DeviceCgroupRules: ['c 1:* r'],
      },
    ],
    [
      'deviceRequests',
      { deviceRequests: [{ driver: 'nvidia', count: -1, capabilities: [['gpu']] }] },
      { DeviceRequests: [{ Driver: 'nvidia', Count: -1, Capabilities: [['gpu']] }] },
    ],
    [
      'runtime, cgroupParent',
      { runtime: 'runsc', cgroupParent: '/x' },
      { Runtime: 'runsc', CgroupParent: '/x' },
    ],
    [
      'cpu settings',
      { cpuShares: 512, cpuset: '0-1', blkioWeight: 300 },
      { CpuShares: 512, CpusetCpus: '0-1', BlkioWeight: 300 },
    ],
    ['storageOptions', { storageOptions: { size: '10G' } }, { StorageOpt: { size: '10G' } }],
    [
      'privileges',
      {
        privileges: {
          noNewPrivileges: true,
          seccomp: { mode: 'custom', profile: '{}' },
          apparmor: { mode: 'disabled' },
          selinuxContext: { type: 't', level: 's0' },
          credentialSpec: { file: 'a.json' },
        },
      },
      {
        SecurityOpt: [
          'label=type:t',
          'label=level:s0',
          'seccomp={}',
          'apparmor=unconfined',
          'no-new-privileges=true',
          'credentialspec=file://a.json',
        ],
      },
    ],
    [
      'seccomp unconfined',
      { privileges: { seccomp: { mode: 'unconfined' } } },
      { SecurityOpt: ['seccomp=unconfined'] },
    ],
    [
      'selinux off',
      { privileges: { selinuxContext: { disable: true } } },
      { SecurityOpt: ['label=disable'] },
    ],
    [
      'a volume with templates',
      {
        mounts: [
          {
            source: 'data-{{.Task.Slot}}',
            target: '/data',
            volume: {
              driver: 'local',
              driverOptions: { o: '{{.Node.Hostname}}' },
              labels: { a: 'b' },
              noCopy: true,
            },
          },
        ],
      },
      {
        Mounts: [
          {
            Type: 'volume',
            Source: 'data-2',
            Target: '/data',
            VolumeOptions: {
              NoCopy: true,
              Labels: { a: 'b' },
              DriverConfig: { Name: 'local', Options: { o: 'host-a' } },
            },
          },
        ],
      },
    ],
    [
      'bind and tmpfs',
      {
        mounts: [
          {
            type: 'bind',
            source: '/etc',
            target: '/e',
            readOnly: true,
            bind: { propagation: 'rslave' },
          },
          { type: 'tmpfs', target: '/t', tmpfs: { size: '1m', mode: '0700' } },
        ],
      },
      {
        Mounts: [
          {
            Type: 'bind',
            Source: '/etc',
            Target: '/e',
            ReadOnly: true,
            BindOptions: { Propagation: 'rslave' },
          },
          { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1024 ** 2, Mode: 0o700 } },
        ],
      },
    ],
  ])('%s', (_name, container, expected) => {
    expect(body(container).HostConfig).toEqual({ RestartPolicy: { Name: 'no' }, ...expected });
  });

  it('turns resources into the engine’s units', () => {
    const resources = {
      limits: { cpus: 0.5, memory: '64Mi', pids: 100 },
      reservations: { memory: '32Mi' },
      memorySwap: '64Mi',
      memorySwappiness: 10,
    };
    expect(body({}, { resources }).HostConfig).toMatchObject({
      NanoCpus: 5e8,
      Memory: 64 * 1024 ** 2,
      MemoryReservation: 32 * 1024 ** 2,
      MemorySwap: 128 * 1024 ** 2,
      MemorySwappiness: 10,
      PidsLimit: 100,
    });
    expect(
      body({}, { resources: { limits: { memory: '64Mi' }, memorySwap: -1 } }).HostConfig.MemorySwap,
    ).toBe(-1);
  });

  it('publishes host-mode ports, fixed and chosen by the engine', () => {
    const ports = [
      { target: 80, published: 8080, mode: 'host' as const },
      { target: 53, protocol: 'udp' as const, mode: 'host' as const },
    ];
    const made = containerBody(
      assignment,
      { task: { container: { image: 'nginx' } }, endpoint: { ports } },
      node,
    );
    expect(made.ExposedPorts).toEqual({ '80/tcp': {}, '53/udp': {} });
    expect(made.HostConfig.PortBindings).toEqual({
      '80/tcp': [{ HostPort: '8080' }],
      '53/udp': [{ HostPort: '' }],
    });
  });

  it('keeps the log driver', () => {
    const logDriver = { name: 'json-file', options: { 'max-size': '1m' } };
    expect(body({}, { logDriver }).HostConfig.LogConfig).toEqual({
      Type: 'json-file',
      Config: { 'max-size': '1m' },
    });
  });

  it.each([
    ['{{.Service.ID}} {{.Service.Name}}', 's1 web'],
    ['{{ index .Service.Labels "tier" }}{{index .Service.Labels "none"}}', 'front'],
    [
      '{{.Node.ID}} {{.Node.Hostname}} {{.Node.Platform.OS}}/{{.Node.Platform.Architecture}}',
      'n1 host-a linux/amd64',
    ],
    ['{{.Task.ID}} {{.Task.Name}} {{.Task.Slot}}', 't1 web.2.t1 2'],
  ])('expands %s', (value, expected) => {
    expect(body({ env: { X: value } }).Env).toEqual([`X=${expected}`]);
  });

  it('2.3 gives a task of a global service its node’s id as slot (scenario 68)', () => {
    const made = containerBody(
      { ...assignment, slot: 0 },
      { task: { container: { image: 'a', env: { S: '{{.Task.Slot}}' } } } },
      node,
    );
    expect(made.Env).toEqual(['S=n1']);
  });

  it('refuses a placeholder that does not exist, and says which do', () => {
    expect(() => body({ env: { X: '{{.Node.Labels}}' } })).toThrow(
      /unknown placeholder \{\{\.Node\.Labels\}\}; allowed: /,
    );
  });

  it('refuses what this engine would silently ignore', () => {
    const container = { healthcheck: { startInterval: '1s' } };
    expect(() => body(container)).toThrow(/healthcheck\.startInterval needs Docker Engine 25/);
    expect(body(container, {}, { ...node, engineApiVersion: '1.44' }).Healthcheck).toEqual({
      StartInterval: 1e9,
    });
  });
});

describe('containerName', () => {
  it('never names two containers alike', () => {
    expect(containerName(assignment)).toBe('web.2.t1');
  });
});
