/** The parts of the engine's answers that we read, as they come: every field may be missing. */

/** An element of `GET /containers/json`. */
export interface WireContainerSummary {
  readonly Id?: string;
  readonly Names?: readonly string[] | null;
  readonly Image?: string;
  readonly State?: string;
  readonly Status?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Created?: number;
}

/** `GET /containers/<id>/json`. */
export interface WireContainer {
  readonly Id?: string;
  readonly Name?: string;
  readonly Created?: string;
  readonly Image?: string;
  readonly State?: WireState;
  readonly Config?: {
    readonly Image?: string;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly Tty?: boolean;
    readonly StopSignal?: string;
  };
  readonly HostConfig?: { readonly NetworkMode?: string };
  readonly NetworkSettings?: {
    readonly Ports?: Readonly<Record<string, readonly WirePortBinding[] | null>> | null;
    readonly Networks?: Readonly<Record<string, WireNetwork | null>> | null;
  };
}

/** `GET /exec/<id>/json`. */
export interface WireExec {
  readonly Running?: boolean;
  readonly ExitCode?: number | null;
}

/** `State` of a container. */
export interface WireState {
  readonly Status?: string;
  readonly Pid?: number;
  readonly ExitCode?: number;
  readonly OOMKilled?: boolean;
  readonly Error?: string;
  readonly StartedAt?: string;
  readonly FinishedAt?: string;
  readonly Health?: {
    readonly Status?: string;
    readonly FailingStreak?: number;
    readonly Log?: readonly { readonly Output?: string }[] | null;
  } | null;
}

/** A container's place in one network. */
export interface WireNetwork {
  readonly IPAddress?: string;
  readonly GlobalIPv6Address?: string;
}

/** A published port. */
export interface WirePortBinding {
  readonly HostIp?: string;
  readonly HostPort?: string;
}

/** `GET /info`. */
export interface WireSystem {
  readonly ID?: string;
  readonly Name?: string;
  readonly OSType?: string;
  readonly Architecture?: string;
  readonly NCPU?: number;
  readonly MemTotal?: number;
  readonly ServerVersion?: string;
  readonly Labels?: readonly string[] | null;
  readonly Plugins?: {
    readonly Volume?: readonly string[] | null;
    readonly Network?: readonly string[] | null;
    readonly Log?: readonly string[] | null;
  };
  readonly GenericResources?: readonly WireGenericResource[] | null;
  readonly KernelVersion?: string;
  readonly OperatingSystem?: string;
  readonly Driver?: string;
  readonly LoggingDriver?: string;
  readonly CgroupDriver?: string;
  readonly CgroupVersion?: string;
  readonly Runtimes?: Readonly<Record<string, unknown>> | null;
  readonly SecurityOptions?: readonly string[] | null;
  readonly LiveRestoreEnabled?: boolean;
  readonly DockerRootDir?: string;
}

/** One resource of `GET /info`. */
export interface WireGenericResource {
  readonly NamedResourceSpec?: { readonly Kind?: string; readonly Value?: string };
  readonly DiscreteResourceSpec?: { readonly Kind?: string; readonly Value?: number };
}

/** `GET /images/<name>/json`. */
export interface WireImage {
  readonly Id?: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly Os?: string;
  readonly Architecture?: string;
  readonly Variant?: string;
  readonly Size?: number;
}

/** A line of `GET /events`. */
export interface WireEvent {
  readonly Type?: string;
  readonly Action?: string;
  readonly Actor?: {
    readonly ID?: string;
    readonly Attributes?: Readonly<Record<string, string>> | null;
  };
  readonly time?: number;
}

/** One message of a pull. */
export interface WirePullMessage {
  readonly id?: string;
  readonly status?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
  readonly progressDetail?: { readonly current?: number; readonly total?: number } | null;
}
