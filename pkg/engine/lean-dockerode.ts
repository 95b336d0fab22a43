import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createRequire } from 'node:module';
import type DockerClient from 'dockerode';

type DockerConstructor = new (options?: DockerClient.DockerOptions) => DockerClient;

/** What of docker-modem is replaced: the method that sends a request which is built already. */
interface ModemClass {
  readonly prototype: {
    buildRequest(
      this: { readonly protocol: string },
      options: RequestOptions,
      context: unknown,
      body: string | undefined,
      callback: (error: unknown, response?: IncomingMessage) => void,
    ): void;
  };
}

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
  const modem = inner('docker-modem') as ModemClass;
  modem.prototype.buildRequest = sendRequest;
  return load('dockerode') as DockerConstructor;
}

/**
 * Hands out the response as it is. The modem's own method formats every request for a debug log that is
 * off, which makes a tenth of an agent's garbage, and all its other cases are not used here.
 */
const sendRequest: ModemClass['prototype']['buildRequest'] = function (
  options,
  _context,
  body,
  callback,
) {
  try {
    const send = this.protocol === 'https' ? httpsRequest : httpRequest;
    const request = send(options, (response) => {
      callback(null, response);
    });
    request.on('error', callback); // also after the response: nobody else listens then
    request.end(body);
  } catch (error) {
    callback(error);
  }
};

/** What the module cache holds for a file whose only export says that it is not there. */
function emptyModule(): NodeJS.Module {
  const missing = () => {
    throw new Error('this part of dockerode is not loaded (see pkg/engine/lean-dockerode.ts)');
  };
  return { exports: missing, loaded: true, children: [], paths: [] } as unknown as NodeJS.Module;
}

/** The `Docker` class of dockerode. */
export const Docker: DockerConstructor = loadDockerode();
