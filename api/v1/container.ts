import { Type, type Static } from 'typebox';
import { byteSize, duration, labelsOf } from './common.js';
import { Hooks } from './hooks.js';
import { Probes } from './probes.js';

const closed = { additionalProperties: false } as const;

const text = (description: string) => Type.String({ minLength: 1, description });
const flag = (description: string) => Type.Boolean({ default: false, description });
const texts = (description: string) => Type.Array(Type.String({ minLength: 1 }), { description });
const absolutePath = (description: string) =>
  Type.String({ pattern: '^(/|[A-Za-z]:\\\\)', expected: 'an absolute path', description });

/** A file system in the container. Each target at most once. */
export const Mount = Type.Object(
  {
    type: Type.Optional(
      Type.Enum(['volume', 'bind', 'tmpfs', 'image', 'npipe', 'cluster'], {
        default: 'volume',
        description: '`cluster` (CSI) is not supported yet; `image` needs Docker Engine 28.',
      }),
    ),
    source: Type.Optional(
      text(
        'Volume name, path on the node (must exist for bind, unless createSource), or image. May be a template.',
      ),
    ),
    target: absolutePath('Where it appears in the container. May be a template.'),
    readOnly: Type.Optional(flag('Mount it read-only.')),
    consistency: Type.Optional(
      Type.Enum(['default', 'consistent', 'cached', 'delegated'], {
        description: 'Passed on to the engine; Linux engines ignore it.',
      }),
    ),
    bind: Type.Optional(
      Type.Object(
        {
          propagation: Type.Optional(
            Type.Enum(['rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave'], {
              default: 'rprivate',
              description: 'Whether mounts made below it later are seen on the other side.',
            }),
          ),
          nonRecursive: Type.Optional(flag('Leave out what is mounted below the source.')),
          createSource: Type.Optional(flag('Make the directory on the node when it is missing.')),
        },
        { ...closed, description: 'For type bind.' },
      ),
    ),
    volume: Type.Optional(
      Type.Object(
        {
          driver: Type.Optional(text("Volume driver. Default: the engine's `local`.")),
          driverOptions: Type.Optional(
            Type.Record(Type.String(), Type.String(), {
              description: 'For the driver, when the volume is made.',
            }),
          ),
          labels: Type.Optional(labelsOf('Of the volume, when it is made.')),
          noCopy: Type.Optional(flag("Do not fill a new volume from the image's directory.")),
          subpath: Type.Optional(text('Path inside the volume. Needs Docker Engine 26.')),
        },
        { ...closed, description: 'For type volume.' },
      ),
    ),
    tmpfs: Type.Optional(
      Type.Object(
        {
          size: Type.Optional(byteSize({ description: 'Default: unlimited.' })),
          mode: Type.Optional(
            Type.String({
              pattern: '^[0-7]{3,4}$',
              default: '1777',
              expected: 'an octal mode in quotes, such as "1777"',
              description: 'Permissions of its root.',
            }),
          ),
        },
        { ...closed, description: 'For type tmpfs.' },
      ),
    ),
    image: Type.Optional(
      Type.Object(
        { subpath: Type.Optional(text('Path inside the image.')) },
        { ...closed, description: 'For type image.' },
      ),
    ),
  },
  { ...closed, description: 'A file system in the container.' },
);
export type Mount = Static<typeof Mount>;

/** How the engine finds out that the container works. Missing fields are the image's, then the engine's. */
export const Healthcheck = Type.Object(
  {
    test: Type.Optional(
      Type.Array(Type.String(), {
        minItems: 1,
        description:
          "[CMD, arg…], [CMD-SHELL, command], or [NONE] to switch the image's check off.",
      }),
    ),
    interval: Type.Optional(duration({ description: 'Engine default 30s. 0 or at least 1ms.' })),
    timeout: Type.Optional(duration({ description: 'Engine default 30s. 0 or at least 1ms.' })),
    startPeriod: Type.Optional(
      duration({ description: 'Failures do not count this long. Engine default 0s.' }),
    ),
    startInterval: Type.Optional(
      duration({
        description: 'Interval during startPeriod. Engine default 5s; needs Docker Engine 25.',
      }),
    ),
    retries: Type.Optional(Type.Integer({ minimum: 0, description: 'Engine default 3.' })),
  },
  { ...closed, description: 'Health check run by the engine; a task runs once it is healthy.' },
);
export type Healthcheck = Static<typeof Healthcheck>;

/** A limit of the kernel on what one process may use. */
export const Ulimit = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z]+$',
      expected: 'a ulimit name such as nofile',
      description: 'Such as nofile, nproc, core, memlock.',
    }),
    soft: Type.Integer({ minimum: -1, description: '-1 means unlimited.' }),
    hard: Type.Optional(Type.Integer({ minimum: -1, description: 'Default: the soft limit.' })),
  },
  closed,
);
export type Ulimit = Static<typeof Ulimit>;

/** A device of the node given to the container. */
export const Device = Type.Object(
  {
    hostPath: absolutePath('Device on the node, such as /dev/fuse.'),
    containerPath: Type.Optional(absolutePath('Default: hostPath.')),
    permissions: Type.Optional(
      Type.String({
        pattern: '^[rwm]{1,3}$',
        default: 'rwm',
        expected: 'some of r, w, m',
        description: 'Read, write, make device nodes.',
      }),
    ),
  },
  closed,
);
export type Device = Static<typeof Device>;

/** A request to a device driver, such as NVIDIA's for GPUs. */
export const DeviceRequest = Type.Object(
  {
    driver: Type.Optional(text('Default: the driver that offers the capabilities.')),
    count: Type.Optional(
      Type.Integer({ minimum: -1, description: '-1 means all. Not together with deviceIds.' }),
    ),
    deviceIds: Type.Optional(texts('These devices.')),
    capabilities: Type.Optional(
      Type.Array(Type.Array(Type.String({ minLength: 1 })), {
        description: 'OR of ANDs, such as [[gpu]].',
      }),
    ),
    options: Type.Optional(
      Type.Record(Type.String(), Type.String(), { description: 'For the driver.' }),
    ),
  },
  closed,
);
export type DeviceRequest = Static<typeof DeviceRequest>;

/** Who the container's processes are allowed to be. */
export const Privileges = Type.Object(
  {
    credentialSpec: Type.Optional(
      Type.Object(
        {
          file: Type.Optional(
            Type.String({ description: "File below the engine's CredentialSpecs folder." }),
          ),
          registry: Type.Optional(
            Type.String({ description: 'Value in the registry of the node.' }),
          ),
        },
        { ...closed, description: 'Windows gMSA.' },
      ),
    ),
    selinuxContext: Type.Optional(
      Type.Object(
        {
          disable: Type.Optional(Type.Boolean({ description: 'Run without SELinux labels.' })),
          user: Type.Optional(Type.String({ description: 'User label.' })),
          role: Type.Optional(Type.String({ description: 'Role label.' })),
          type: Type.Optional(Type.String({ description: 'Type label.' })),
          level: Type.Optional(Type.String({ description: 'Level label.' })),
        },
        { ...closed, description: 'SELinux labels of the processes.' },
      ),
    ),
    seccomp: Type.Optional(
      Type.Object(
        {
          mode: Type.Enum(['default', 'unconfined', 'custom'], {
            description: "The engine's profile, none, or the one given here.",
          }),
          profile: Type.Optional(
            Type.String({ description: 'The JSON profile, for mode custom.' }),
          ),
        },
        { ...closed, description: 'Which system calls are allowed.' },
      ),
    ),
    apparmor: Type.Optional(
      Type.Object(
        {
          mode: Type.Enum(['default', 'disabled'], {
            description: "The engine's profile, or none.",
          }),
        },
        { ...closed, description: 'AppArmor confinement.' },
      ),
    ),
    noNewPrivileges: Type.Optional(flag('Forbid gaining privileges through setuid programs.')),
  },
  { ...closed, description: "Who the container's processes are allowed to be." },
);
export type Privileges = Static<typeof Privileges>;

/** Name resolution inside the container. Missing parts are the engine's. */
export const DnsConfig = Type.Object(
  {
    nameservers: Type.Optional(texts('Addresses of name servers.')),
    search: Type.Optional(texts('Search domains.')),
    options: Type.Optional(texts('Resolver options, such as ndots:2.')),
  },
  {
    ...closed,
    description: "Name resolution inside the container. Missing parts are the engine's.",
  },
);
export type DnsConfig = Static<typeof DnsConfig>;

const EnvValue = Type.Union([Type.String(), Type.Number(), Type.Boolean()], {
  expected: 'text, a number, true or false',
});

/**
 * Everything about the container a task runs: Docker's ContainerSpec in camelCase, and what its users
 * miss there (devices, privileged, shared memory, process and IPC modes, runtime, …).
 */
export const ContainerSpec = Type.Object(
  {
    image: Type.String({
      minLength: 1,
      maxLength: 1024,
      pattern:
        '^([a-zA-Z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?$',
      expected:
        'an image reference such as nginx:1.27 or registry.example.com:5000/team/app@sha256:…',
      description: 'Image to run.',
    }),
    pullPolicy: Type.Optional(
      Type.Enum(['always', 'if-not-present', 'never'], {
        default: 'always',
        description:
          'When to ask the registry. With `always` a failed pull is forgiven when the image is on the node; an image named by digest is not pulled again.',
      }),
    ),
    platform: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?$',
        expected: 'a platform such as linux/arm64',
        description: 'Only nodes of this platform; the variant of the image to pull.',
      }),
    ),
    command: Type.Optional(
      Type.Array(Type.String(), { description: "Replaces the image's ENTRYPOINT." }),
    ),
    args: Type.Optional(Type.Array(Type.String(), { description: "Replaces the image's CMD." })),
    env: Type.Optional(
      Type.Record(Type.String({ pattern: '^[^=\\0]+$' }), EnvValue, {
        description: 'Environment. Values may be templates such as {{.Task.Slot}}.',
      }),
    ),
    dir: Type.Optional(text("Working directory. Default: the image's.")),
    user: Type.Optional(text("Name or uid[:group or gid]. Default: the image's.")),
    groups: Type.Optional(texts('Supplementary groups.')),
    hostname: Type.Optional(text("Default: the container's id. May be a template.")),
    domainname: Type.Optional(text('Domain name of the container.')),
    labels: Type.Optional(
      Type.Record(Type.String({ minLength: 1 }), Type.String(), {
        description:
          'Labels of the container; changing them restarts tasks. com.docker.swarm.* and io.swarmkeeper.* are reserved.',
      }),
    ),
    tty: Type.Optional(flag('Give it a pseudo-terminal.')),
    openStdin: Type.Optional(flag('Keep standard input open.')),
    readOnly: Type.Optional(flag('Root file system is read-only.')),
    init: Type.Optional(
      Type.Boolean({ description: "Run a small init as PID 1. Default: the engine's setting." }),
    ),
    stopSignal: Type.Optional(
      Type.String({
        pattern: '^(SIG)?[A-Z0-9+-]+$|^[0-9]+$',
        expected: 'a signal such as SIGTERM',
        description: "Default: the image's, else SIGTERM.",
      }),
    ),
    stopGracePeriod: Type.Optional(
      duration({ default: '10s', description: 'Time between the stop signal and SIGKILL.' }),
    ),
    hosts: Type.Optional(
      Type.Array(Type.String({ pattern: '^[^:=\\s]+[:=][^\\s]+$', expected: 'name:address' }), {
        description: 'Extra lines of /etc/hosts, as name:address.',
      }),
    ),
    dnsConfig: Type.Optional(DnsConfig),
    healthcheck: Type.Optional(Healthcheck),
    probes: Type.Optional(Probes),
    hooks: Type.Optional(Hooks),
    privileges: Type.Optional(Privileges),
    privileged: Type.Optional(flag('All devices and capabilities of the node.')),
    capabilityAdd: Type.Optional(texts('Capabilities on top of the default set; ALL for all.')),
    capabilityDrop: Type.Optional(texts('Capabilities taken from the default set; ALL for all.')),
    sysctls: Type.Optional(
      Type.Record(Type.String(), EnvValue, { description: 'Namespaced kernel parameters.' }),
    ),
    ulimits: Type.Optional(
      Type.Array(Ulimit, { description: 'Limits of the kernel on what one process may use.' }),
    ),
    oomScoreAdj: Type.Optional(
      Type.Integer({
        minimum: -1000,
        maximum: 1000,
        default: 0,
        description: 'The higher, the sooner the kernel kills it when memory is short.',
      }),
    ),
    isolation: Type.Optional(
      Type.Enum(['default', 'process', 'hyperv'], { default: 'default', description: 'Windows.' }),
    ),
    mounts: Type.Optional(
      Type.Array(Mount, {
        description: 'File systems in the container; each target at most once.',
      }),
    ),
    devices: Type.Optional(Type.Array(Device, { description: 'Devices of the node.' })),
    deviceRequests: Type.Optional(
      Type.Array(DeviceRequest, { description: 'Devices by what they can do, such as GPUs.' }),
    ),
    deviceCgroupRules: Type.Optional(texts('Rules such as "c 42:* rmw".')),
    shmSize: Type.Optional(
      byteSize({ description: "Size of /dev/shm. Default: the engine's (64Mi)." }),
    ),
    pidMode: Type.Optional(
      Type.Enum(['host'], { description: 'Default: a namespace of its own.' }),
    ),
    ipcMode: Type.Optional(
      Type.Enum(['none', 'private', 'shareable', 'host'], {
        description: "Default: the engine's.",
      }),
    ),
    utsMode: Type.Optional(
      Type.Enum(['host'], { description: 'Default: a host name of its own.' }),
    ),
    usernsMode: Type.Optional(
      Type.Enum(['host'], { description: "Default: the engine's setting." }),
    ),
    cgroupnsMode: Type.Optional(
      Type.Enum(['private', 'host'], { description: "Default: the engine's setting." }),
    ),
    networkMode: Type.Optional(
      Type.Enum(['default', 'none', 'host', 'bridge'], {
        default: 'default',
        description: "The node's own networking when the task is on no cluster network.",
      }),
    ),
    cgroupParent: Type.Optional(text('Parent cgroup.')),
    runtime: Type.Optional(text("OCI runtime. Default: the engine's.")),
    storageOptions: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Options of the storage driver, such as size=10G.',
      }),
    ),
    cpuShares: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Relative weight. Default: 1024.' }),
    ),
    cpuset: Type.Optional(text('CPUs the container may use, such as 0-2,4.')),
    blkioWeight: Type.Optional(
      Type.Integer({
        minimum: 10,
        maximum: 1000,
        description: "Relative weight of its disk traffic. Default: the kernel's.",
      }),
    ),
    secrets: Type.Optional(Type.Array(Type.Unknown(), { description: 'Not supported yet.' })),
    configs: Type.Optional(Type.Array(Type.Unknown(), { description: 'Not supported yet.' })),
  },
  { ...closed, description: 'The container a task runs.' },
);
export type ContainerSpec = Static<typeof ContainerSpec>;
