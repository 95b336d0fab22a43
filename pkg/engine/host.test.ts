import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { formatEngineHost, parseDockerHost } from './host.js';

describe('parseDockerHost', () => {
  it.each([
    [undefined, { kind: 'unix', socketPath: '/var/run/docker.sock' }],
    ['', { kind: 'unix', socketPath: '/var/run/docker.sock' }],
    ['unix://', { kind: 'unix', socketPath: '/var/run/docker.sock' }],
    ['unix:///run/x.sock', { kind: 'unix', socketPath: '/run/x.sock' }],
    ['/run/x.sock', { kind: 'unix', socketPath: '/run/x.sock' }],
    ['tcp://host', { kind: 'tcp', hostname: 'host', port: 2375 }],
    ['tcp://10.0.0.1:1234', { kind: 'tcp', hostname: '10.0.0.1', port: 1234 }],
    ['http://[::1]:1234', { kind: 'tcp', hostname: '::1', port: 1234 }],
  ])('reads %s', (DOCKER_HOST, host) => {
    expect(parseDockerHost({ DOCKER_HOST })).toEqual(host);
  });

  it.each(['ssh://me@host', 'npipe:////./pipe/docker', 'host:2375', 'nonsense'])(
    'refuses %s and says what is allowed',
    (DOCKER_HOST) => {
      expect(() => parseDockerHost({ DOCKER_HOST })).toThrow(/unix:\/\/\/path.*tcp:\/\/host:port/);
    },
  );

  it('reads the TLS files, or names the one it cannot read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'docker-certs-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const environment = { DOCKER_HOST: 'tcp://host:2376', DOCKER_CERT_PATH: folder };
    expect(() => parseDockerHost(environment)).toThrow(join(folder, 'ca.pem'));
    for (const name of ['ca', 'cert', 'key']) writeFileSync(join(folder, `${name}.pem`), name);
    const tls = { ca: 'ca', cert: 'cert', key: 'key' };
    const secure = { kind: 'tcp', hostname: 'host', port: 2376, tls };
    expect(parseDockerHost(environment)).toEqual(secure);
    const verify = { ...environment, DOCKER_HOST: 'tcp://host', DOCKER_TLS_VERIFY: '1' };
    expect(parseDockerHost(verify)).toEqual(secure);
  });

  it('is written as it is read', () => {
    for (const DOCKER_HOST of ['unix:///run/x.sock', 'tcp://host:1234']) {
      expect(formatEngineHost(parseDockerHost({ DOCKER_HOST }))).toBe(DOCKER_HOST);
    }
  });
});
