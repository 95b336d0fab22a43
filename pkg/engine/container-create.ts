/**
 * Body of `POST /containers/create`: the part of the Engine API that tasks can use. Names are the
 * engine's, so that its reference documentation applies. Absent fields take the engine's defaults.
 */
export interface ContainerCreateBody {
  readonly Image: string;
  readonly Hostname?: string;
  readonly Domainname?: string;
  readonly User?: string;
  readonly Env?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly Tty?: boolean;
  readonly OpenStdin?: boolean;
  readonly StdinOnce?: boolean;
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly StopSignal?: string;
  /** Seconds. */
  readonly StopTimeout?: number;
  readonly NetworkDisabled?: boolean;
  readonly MacAddress?: string;
  readonly Healthcheck?: CreateHealthcheck;
  /** Keys `80/tcp`. */
  readonly ExposedPorts?: Readonly<Record<string, Readonly<Record<string, never>>>>;
  readonly HostConfig: CreateHostConfig;
  readonly NetworkingConfig?: {
    readonly EndpointsConfig: Readonly<Record<string, CreateEndpoint>>;
  };
}

/** Durations are nanoseconds; 0 inherits from the image. */
export interface CreateHealthcheck {
  /** `['NONE']`, `['CMD', ...]` or `['CMD-SHELL', line]`; empty inherits. */
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  /** Since API 1.44. */
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** How a container sits on its host. */
export interface CreateHostConfig {
  /** Always `no`: restarts are ours, the engine's own would fight with them. */
  readonly RestartPolicy: { readonly Name: 'no' };
  readonly AutoRemove?: false;
  readonly Init?: boolean;
  readonly Privileged?: boolean;
  readonly ReadonlyRootfs?: boolean;
  readonly Runtime?: string;
  /** Windows only. */
  readonly Isolation?: string;

  readonly NetworkMode?: string;
  readonly PidMode?: string;
  readonly IpcMode?: string;
  readonly UTSMode?: string;
  readonly UsernsMode?: string;
  readonly CgroupnsMode?: 'private' | 'host';
  readonly CgroupParent?: string;
  readonly Cgroup?: string;

  /** Billionths of a CPU. */
  readonly NanoCpus?: number;
  readonly CpuShares?: number;
  readonly CpusetCpus?: string;
  readonly CpusetMems?: string;
  readonly CpuRealtimePeriod?: number;
  readonly CpuRealtimeRuntime?: number;
  /** Bytes, as the other sizes here. */
  readonly Memory?: number;
  readonly MemoryReservation?: number;
  /** Memory and swap together; -1 is unlimited. */
  readonly MemorySwap?: number;
  readonly MemorySwappiness?: number;
  readonly KernelMemoryTCP?: number;
  readonly ShmSize?: number;
  readonly PidsLimit?: number;
  readonly OomKillDisable?: boolean;
  readonly OomScoreAdj?: number;
  readonly Ulimits?: readonly CreateUlimit[];
  readonly BlkioWeight?: number;
  readonly BlkioWeightDevice?: readonly { readonly Path: string; readonly Weight: number }[];
  readonly BlkioDeviceReadBps?: readonly CreateDeviceRate[];
  readonly BlkioDeviceWriteBps?: readonly CreateDeviceRate[];
  readonly BlkioDeviceReadIOps?: readonly CreateDeviceRate[];
  readonly BlkioDeviceWriteIOps?: readonly CreateDeviceRate[];

  readonly Devices?: readonly CreateDevice[];
  readonly DeviceCgroupRules?: readonly string[];
  readonly DeviceRequests?: readonly CreateDeviceRequest[];

  readonly CapAdd?: readonly string[];
  readonly CapDrop?: readonly string[];
  readonly SecurityOpt?: readonly string[];
  readonly GroupAdd?: readonly string[];
  readonly Sysctls?: Readonly<Record<string, string>>;
  readonly MaskedPaths?: readonly string[];
  readonly ReadonlyPaths?: readonly string[];

  readonly Binds?: readonly string[];
  readonly Mounts?: readonly CreateMount[];
  readonly Tmpfs?: Readonly<Record<string, string>>;
  readonly VolumeDriver?: string;
  readonly VolumesFrom?: readonly string[];
  readonly StorageOpt?: Readonly<Record<string, string>>;

  readonly LogConfig?: {
    readonly Type: string;
    readonly Config?: Readonly<Record<string, string>>;
  };
  /** Keys `80/tcp`. */
  readonly PortBindings?: Readonly<Record<string, readonly CreatePortBinding[]>>;
  readonly PublishAllPorts?: boolean;
  readonly Dns?: readonly string[];
  readonly DnsSearch?: readonly string[];
  readonly DnsOptions?: readonly string[];
  /** `name:address`. */
  readonly ExtraHosts?: readonly string[];
  readonly Links?: readonly string[];
  readonly Annotations?: Readonly<Record<string, string>>;
}

/** One resource limit of the processes in a container; -1 is unlimited. */
export interface CreateUlimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

/** How much a container may do with a device per second: bytes or operations. */
export interface CreateDeviceRate {
  readonly Path: string;
  readonly Rate: number;
}

/** A device of the host inside a container. */
export interface CreateDevice {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  /** Of `rwm`. */
  readonly CgroupPermissions: string;
}

/** `--gpus` and its like. */
export interface CreateDeviceRequest {
  readonly Driver?: string;
  /** -1 is all. */
  readonly Count?: number;
  readonly DeviceIDs?: readonly string[];
  /** Outer list: or; inner lists: and. */
  readonly Capabilities?: readonly (readonly string[])[];
  readonly Options?: Readonly<Record<string, string>>;
}

/** Where on the host a port of the container is published. */
export interface CreatePortBinding {
  /** Empty is every address. */
  readonly HostIp?: string;
  /** A number as text; empty lets the engine choose. */
  readonly HostPort: string;
}

/** Something mounted into a container; which options apply depends on `Type`. */
export interface CreateMount {
  readonly Type: 'bind' | 'volume' | 'tmpfs' | 'npipe' | 'cluster' | 'image';
  readonly Target: string;
  readonly Source?: string;
  readonly ReadOnly?: boolean;
  readonly Consistency?: string;
  readonly BindOptions?: {
    readonly Propagation?: string;
    readonly NonRecursive?: boolean;
    readonly CreateMountpoint?: boolean;
    readonly ReadOnlyNonRecursive?: boolean;
    readonly ReadOnlyForceRecursive?: boolean;
  };
  readonly VolumeOptions?: {
    readonly NoCopy?: boolean;
    readonly Labels?: Readonly<Record<string, string>>;
    readonly Subpath?: string;
    readonly DriverConfig?: {
      readonly Name?: string;
      readonly Options?: Readonly<Record<string, string>>;
    };
  };
  readonly TmpfsOptions?: {
    readonly SizeBytes?: number;
    readonly Mode?: number;
    readonly Options?: readonly (readonly string[])[];
  };
  readonly ImageOptions?: { readonly Subpath?: string };
}

/** A container's place in one network. */
export interface CreateEndpoint {
  readonly Aliases?: readonly string[];
  readonly Links?: readonly string[];
  readonly MacAddress?: string;
  readonly DriverOpts?: Readonly<Record<string, string>>;
  readonly IPAMConfig?: {
    readonly IPv4Address?: string;
    readonly IPv6Address?: string;
    readonly LinkLocalIPs?: readonly string[];
  };
}
