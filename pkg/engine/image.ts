/** Credentials for the registry of one pull. Never logged, sent as a header only. */
export type RegistryAuth =
  | { readonly username: string; readonly password: string; readonly serverAddress?: string }
  | { readonly identityToken: string; readonly serverAddress?: string }
  /** As clients of Docker prepare it: base64url of the JSON. */
  | { readonly encoded: string };

/** Sum over all layers of a pull, as far as they are known yet. */
export interface PullProgress {
  /** The engine's last word: `Downloading`, `Extracting`, `Pull complete`. */
  readonly status: string;
  readonly layersDone: number;
  readonly layersTotal: number;
  readonly downloadedBytes: number;
  /** Grows while the engine discovers layers. */
  readonly totalBytes: number;
}

/** How to pull an image. */
export interface PullOptions {
  readonly auth?: RegistryAuth;
  /** `os/arch[/variant]`; default the engine's own. */
  readonly platform?: string;
  readonly onProgress?: (progress: PullProgress) => void;
  readonly signal?: AbortSignal;
}

/** A local image. */
export interface ImageInspection {
  /** `sha256:…` of its configuration. */
  readonly id: string;
  readonly tags: readonly string[];
  /** `name@sha256:…`; empty for an image that never saw a registry. */
  readonly digests: readonly string[];
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly sizeBytes: number;
}
