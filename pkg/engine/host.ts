import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InvalidObjectError, messageOf } from '../base/index.js';

/** Client side of mutual TLS with an engine; PEM. */
export interface EngineTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Where an engine listens. */
export type EngineHost =
  | { readonly kind: 'unix'; readonly socketPath: string }
  | {
      readonly kind: 'tcp';
      readonly hostname: string;
      readonly port: number;
      readonly tls?: EngineTls;
    };

/** The socket of an engine that was installed from a package. */
export const DEFAULT_ENGINE_SOCKET = '/var/run/docker.sock';

const TCP_SCHEMES = new Set(['tcp:', 'http:', 'https:']);
const PLAIN_PORT = 2375;
const TLS_PORT = 2376;

/** The environment variables of Docker's own clients. */
export interface DockerEnvironment {
  readonly DOCKER_HOST?: string | undefined;
  /** Folder with `ca.pem`, `cert.pem` and `key.pem`; default `~/.docker`. */
  readonly DOCKER_CERT_PATH?: string | undefined;
  /** Anything but empty asks for TLS. */
  readonly DOCKER_TLS_VERIFY?: string | undefined;
}

/**
 * The engine that Docker's environment variables mean: `unix:///path`, `tcp://host:port` (port
 * 2376 or DOCKER_TLS_VERIFY: mutual TLS), or the default socket when DOCKER_HOST is empty.
 * Errors: InvalidObjectError for anything else, and when the TLS files cannot be read.
 */
export function parseDockerHost(environment: DockerEnvironment): EngineHost {
  const host = environment.DOCKER_HOST ?? '';
  if (host === '') return { kind: 'unix', socketPath: DEFAULT_ENGINE_SOCKET };
  if (host.startsWith('unix://')) {
    return { kind: 'unix', socketPath: host.slice('unix://'.length) || DEFAULT_ENGINE_SOCKET };
  }
  if (host.startsWith('/')) return { kind: 'unix', socketPath: host };
  return parseTcpHost(host, environment);
}

function parseTcpHost(host: string, environment: DockerEnvironment): EngineHost {
  const url = URL.canParse(host) ? new URL(host) : undefined;
  if (!url || !TCP_SCHEMES.has(url.protocol) || url.hostname === '') {
    throw new InvalidObjectError(
      `DOCKER_HOST is "${host}"; allowed are unix:///path/to/docker.sock and tcp://host:port`,
    );
  }
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port);
  if (!isSecure(url, environment)) return { kind: 'tcp', hostname, port: port || PLAIN_PORT };
  const tls = readTls(environment.DOCKER_CERT_PATH);
  return { kind: 'tcp', hostname, port: port || TLS_PORT, tls };
}

function isSecure({ protocol, port }: URL, { DOCKER_TLS_VERIFY = '' }: DockerEnvironment): boolean {
  return DOCKER_TLS_VERIFY !== '' || protocol === 'https:' || port === String(TLS_PORT);
}

function readTls(folder = join(homedir(), '.docker')): EngineTls {
  const read = (name: string) => {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch (error) {
      throw new InvalidObjectError(
        `the engine's TLS file ${join(folder, name)} cannot be read: ${messageOf(error)}`,
        [],
        { cause: error },
      );
    }
  };
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
}

/** The host as people write it, for messages. */
export function formatEngineHost(host: EngineHost): string {
  return host.kind === 'unix'
    ? `unix://${host.socketPath}`
    : `tcp://${host.hostname}:${String(host.port)}`;
}
