/** Answer to a ping. */
export interface EnginePing {
  /** The API version that is spoken from now on: the smaller of ours and the engine's. */
  readonly apiVersion: string;
  /** The newest the engine knows. */
  readonly engineApiVersion: string;
}

/** A countable or named resource that the engine was configured with (GPUs, licences). */
export type EngineGenericResource =
  | { readonly kind: string; readonly type: 'discrete'; readonly amount: number }
  | { readonly kind: string; readonly type: 'named'; readonly name: string };

/** What an engine is and has. */
export interface EngineDescription {
  /** Of the engine's data directory: copies of a machine share it. */
  readonly engineId: string;
  readonly hostname: string;
  /** `linux`, `windows`. */
  readonly os: string;
  /** In image platform terms: `amd64`, `arm64`. */
  readonly architecture: string;
  /** Billionths of a CPU. */
  readonly cpuNano: number;
  readonly memoryBytes: number;
  /** Such as `20.10.24`. */
  readonly engineVersion: string;
  /** The version spoken with this engine. */
  readonly apiVersion: string;
  /** The engine's own labels (`dockerd --label`). */
  readonly labels: Readonly<Record<string, string>>;
  readonly plugins: {
    readonly volume: readonly string[];
    readonly network: readonly string[];
    readonly log: readonly string[];
  };
  readonly genericResources: readonly EngineGenericResource[];
  readonly kernelVersion: string;
  /** For people: `Debian GNU/Linux 12 (bookworm)`. */
  readonly operatingSystem: string;
  readonly storageDriver: string;
  readonly defaultLogDriver: string;
  readonly cgroup: { readonly driver: string; readonly version: string };
  readonly runtimes: readonly string[];
  readonly securityOptions: readonly string[];
  /** Containers go on while the engine is down. */
  readonly liveRestore: boolean;
  readonly dataDirectory: string;
}
