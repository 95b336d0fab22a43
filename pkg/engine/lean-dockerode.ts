import { createRequire } from 'node:module';
import type DockerClient from 'dockerode';

type DockerConstructor = new (options?: DockerClient.DockerOptions) => DockerClient;

/**
 * dockerode, without the two parts of it that no caller here reaches: BuildKit sessions (grpc and
 * protobufjs) and `ssh://` hosts (ssh2). Loading those costs 16 MiB of memory in every agent, and
 * they are loaded at import. Empty modules put in their place first keep them out.
 */
function loadDockerode(): DockerConstructor {
  const load = createRequire(import.meta.url);
  const inner = createRequire(load.resolve('dockerode'));
  for (const unused of ['./session.js', 'docker-modem/lib/ssh.js']) {
    const path = inner.resolve(unused);
    load.cache[path] ??= Object.assign(emptyModule(), { id: path, filename: path });
  }
  return load('dockerode') as DockerConstructor;
}

/** What the module cache holds for a file whose only export says that it is not there. */
function emptyModule(): NodeJS.Module {
  const missing = () => {
    throw new Error('this part of dockerode is not loaded (see pkg/engine/lean-dockerode.ts)');
  };
  return { exports: missing, loaded: true, children: [], paths: [] } as unknown as NodeJS.Module;
}

/** The `Docker` class of dockerode. */
export const Docker: DockerConstructor = loadDockerode();
