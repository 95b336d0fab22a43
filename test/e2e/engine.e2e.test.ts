import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DockerEngine } from '../../pkg/engine/index.js';
import type {
  ContainerCreateBody,
  CreateHostConfig,
  LogLine,
  LogOptions,
} from '../../pkg/engine/index.js';
import { testEngineConformance } from '../fakes/engine-conformance.js';
import { importBusyboxImage } from '../fixtures/busybox-image.js';
import { DockerdFixture, describeWithDocker } from '../fixtures/dockerd.js';
import { busyboxBody } from '../fixtures/engine-recipes.js';
import { descendantsOf, listProcesses, stillRunning } from '../fixtures/process-table.js';

const IMAGE = 'busybox:test';

/** An engine that starts again without live-restore ends it in good order first. */
const TICKING = "trap 'exit 0' TERM; while :; do echo tick; sleep 0.1; done";

describeWithDocker('the Docker Engine', () => {
  testEngineConformance('DockerEngine', async () => {
    const dockerd = await DockerdFixture.start();
    await importBusyboxImage(dockerd.socketPath, IMAGE);
    return {
      engine: new DockerEngine({ host: dockerd.host }),
      image: IMAGE,
      unreachableImage: '127.0.0.1:1/none:1',
      bodyFor: (recipe) => busyboxBody(IMAGE, recipe),
      dispose: () => dockerd.dispose(),
    };
  });

  describe('one engine with a bridge', () => {
    let dockerd: DockerdFixture;
    let engine: DockerEngine;

    beforeAll(async () => {
      dockerd = await DockerdFixture.start({
        bridge: true,
        args: ['--label=disk=ssd', '--node-generic-resource=gpu=2', '--userland-proxy=false'],
      });
      engine = new DockerEngine({ host: dockerd.host });
      await importBusyboxImage(dockerd.socketPath, IMAGE);
    });
    afterAll(async () => {
      engine.close();
      await dockerd.dispose();
    });

    async function run(script: string, more: Partial<ContainerCreateBody> = {}): Promise<string> {
      const { id } = await engine.createContainer({
        name: `e2e-${String(Math.random()).slice(2)}`,
        body: body(script, more),
      });
      await engine.startContainer(id);
      return id;
    }

    async function logs(id: string, options: LogOptions = {}): Promise<LogLine[]> {
      const lines: LogLine[] = [];
      for await (const line of engine.streamLogs(id, options)) lines.push(line);
      return lines;
    }

    it('is described with its own labels and resources', async () => {
      expect(await engine.describe()).toMatchObject({
        labels: { disk: 'ssd' },
        genericResources: [{ kind: 'gpu', type: 'discrete', amount: 2 }],
        liveRestore: false,
        defaultLogDriver: 'json-file',
      });
    });

    it('gives a container everything that its body asks for', async () => {
      const id = await run('id -G; cat /proc/self/oom_score_adj; hostname; ls -d /data; env', {
        Hostname: 'named',
        Env: ['GREETING=hello'],
        HostConfig: {
          ...HOST_CONFIG,
          GroupAdd: ['1234'],
          OomScoreAdj: 500,
          Init: true,
          ReadonlyRootfs: true,
          ShmSize: 32 * 1024 ** 2,
          PidsLimit: 50,
          Memory: 64 * 1024 ** 2,
          NanoCpus: 5e8,
          CapDrop: ['ALL'],
          SecurityOpt: ['no-new-privileges'],
          Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
          Sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' },
          ExtraHosts: ['db:10.1.2.3'],
          Mounts: [{ Type: 'tmpfs', Target: '/data' }],
          LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
        },
      });
      expect(await engine.waitContainer(id)).toEqual({ exitCode: 0 });
      const texts = (await logs(id)).map(({ data }) => data.toString());
      expect(texts[0]).toContain('1234');
      expect(texts.slice(1, 4)).toEqual(['500', 'named', '/data']);
      expect(texts).toContain('GREETING=hello');
    });

    it('tells the ports that it published', async () => {
      const id = await run('sleep 60', {
        ExposedPorts: { '80/tcp': {} },
        HostConfig: {
          ...HOST_CONFIG,
          PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
        },
      });
      expect((await engine.inspectContainer(id))!.ports).toEqual([
        { containerPort: 80, protocol: 'tcp', hostIp: '127.0.0.1', hostPort: expect.any(Number) },
      ]);
      await engine.removeContainer(id, { force: true });
      await expect(
        run('true', { HostConfig: { ...HOST_CONFIG, Devices: [device('/dev/no-such')] } }),
      ).rejects.toMatchObject({ code: 'ERR_ENGINE_REFUSED' });
      await expect(
        run('true', {
          HostConfig: {
            ...HOST_CONFIG,
            Mounts: [{ Type: 'bind', Source: '/no/such', Target: '/data' }],
          },
        }),
      ).rejects.toMatchObject({ code: 'ERR_INVALID_OBJECT' });
    });

    it('tells where a container is reached', async () => {
      const own = await engine.inspectContainer(await run('sleep 60'));
      expect(own).toMatchObject({ usesHostNetwork: false });
      expect(own?.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      const none = { HostConfig: { ...HOST_CONFIG, NetworkMode: 'none' } };
      expect(await engine.inspectContainer(await run('sleep 60', none))).not.toHaveProperty(
        'address',
      );
      const host = { HostConfig: { ...HOST_CONFIG, NetworkMode: 'host' } };
      const shared = await engine.inspectContainer(await run('sleep 60', host));
      expect(shared).toMatchObject({ usesHostNetwork: true });
      expect(shared).not.toHaveProperty('address');
    });

    it('ends a command inside of a container with it', async () => {
      const id = await run("trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done");
      const command = ['sh', '-c', 'kill -TERM 1; exec sleep 3600'];
      const { exitCode } = await engine.execInContainer(id, { command, timeoutMs: 20_000 });
      expect(exitCode).toBe(137);
    });

    it('tells that the kernel killed it for memory', async () => {
      const id = await run('tail /dev/zero', {
        HostConfig: { ...HOST_CONFIG, Memory: 16 * 1024 ** 2, MemorySwap: 16 * 1024 ** 2 },
      });
      expect(await engine.waitContainer(id)).toEqual({ exitCode: 137 });
      expect(await engine.inspectContainer(id)).toMatchObject({ oomKilled: true, exitCode: 137 });
    });

    it('follows 10,000 lines of both streams without losing one', async () => {
      const id = await run(
        'i=0; while [ $i -lt 5000 ]; do echo "out $i"; echo "err $i" >&2; i=$((i+1)); done',
      );
      const lines = await logs(id, { follow: true });
      const numbers = Array.from({ length: 5000 }, (_, index) => String(index));
      for (const [stream, word] of [
        ['stdout', 'out'],
        ['stderr', 'err'],
      ] as const) {
        const texts = lines
          .filter((line) => line.stream === stream)
          .map((line) => line.data.toString());
        expect(texts).toEqual(numbers.map((number) => `${word} ${number}`));
      }
    });

    it('follows the last line too, that has no newline', async () => {
      const id = await run('echo one; printf two');
      expect((await logs(id, { follow: true })).map(({ data }) => data.toString())).toEqual([
        'one',
        'two',
      ]);
    });

    it('puts long lines together again, time stamps and all', async () => {
      const id = await run('head -c 50000 /dev/zero | tr "\\0" x; echo; printf end');
      await engine.waitContainer(id);
      const lines = await logs(id, { timestamps: true });
      expect(lines.map(({ data }) => data.length)).toEqual([50_000, 3]);
      expect(lines[0]!.data.every((byte) => byte === 'x'.charCodeAt(0))).toBe(true);
      const parts = await logs(id, { maxLineBytes: 20_000 });
      expect(parts.map(({ data, partial }) => [data.length, partial])).toEqual([
        [20_000, true],
        [20_000, true],
        [10_000, false],
        [3, expect.any(Boolean)],
      ]);
    });

    it('reads the log of a terminal', async () => {
      const id = await run('echo one; echo two >&2', { Tty: true });
      await engine.waitContainer(id);
      const lines = await logs(id, { timestamps: true });
      expect(lines.map(({ stream, data }) => [stream, data.toString().trim()])).toEqual([
        ['stdout', 'one'],
        ['stdout', 'two'],
      ]);
      for (const { at } of lines) expect(Date.parse(at!)).not.toBeNaN();
      expect(await logs(id, { follow: true, timestamps: true })).toEqual(lines);
    });

    it('lists 50 containers at once', async () => {
      const ids = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const request = {
            name: `many-${String(index)}`,
            body: body('true', { Labels: { many: '' } }),
          };
          return (await engine.createContainer(request)).id;
        }),
      );
      const listed = await engine.listContainers({ labels: { many: '' }, all: true });
      expect(listed.map(({ id }) => id).sort()).toEqual(ids.sort());
      await Promise.all(ids.map((id) => engine.removeContainer(id)));
      expect(await engine.listContainers({ labels: { many: '' }, all: true })).toEqual([]);
    });
  });

  describe.each([true, false])('an engine that is killed, live-restore %s', (liveRestore) => {
    let dockerd: DockerdFixture;
    let engine: DockerEngine;
    let id: string;

    beforeAll(async () => {
      dockerd = await DockerdFixture.start({ liveRestore });
      engine = new DockerEngine({ host: dockerd.host });
      await importBusyboxImage(dockerd.socketPath, IMAGE);
      const request = { name: 'survivor', body: body(TICKING) };
      id = (await engine.createContainer(request)).id;
      await engine.startContainer(id);
    });
    afterAll(async () => {
      engine.close();
      await dockerd.dispose();
    });

    it('breaks every stream at once, and serves again on the same data', async () => {
      const unavailable = { code: 'ERR_UNAVAILABLE' };
      const watching = watchUntilOpen();
      const following = drained(engine.streamLogs(id, { follow: true }));
      const broken = [watching.ended, following.ended, engine.waitContainer(id)].map((stream) =>
        expect(stream).rejects.toMatchObject(unavailable),
      );
      await Promise.all([watching.open, following.open]);
      const before = await engine.inspectContainer(id);
      await dockerd.kill();
      await Promise.all(broken);
      await expect(engine.ping()).rejects.toMatchObject(unavailable);
      await expect(engine.listContainers({})).rejects.toMatchObject(unavailable);

      await dockerd.startAgain();
      const after = await engine.inspectContainer(id);
      expect(after?.state).toBe(liveRestore ? 'running' : 'exited');
      if (liveRestore) expect(after?.pid).toBe(before?.pid);
      await engine.removeContainer(id, { force: true });
      expect(await engine.listContainers({ all: true })).toEqual([]);
    });

    function watchUntilOpen() {
      let ended: Promise<never> | undefined;
      const open = new Promise<void>((resolve) => {
        ended = engine.watchEvents({ onOpen: resolve, onEvent: () => undefined });
      });
      return { open, ended: ended! };
    }

    it('leaves a call that is under way in time when it freezes', async () => {
      await dockerd.pause();
      const call = engine.listContainers({ timeoutMs: 300 });
      await expect(call).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
      dockerd.resume();
      expect(await engine.listContainers({})).toEqual([]);
    });
  });

  it('leaves nothing behind when it is disposed of', async () => {
    const dockerd = await DockerdFixture.start({ liveRestore: true });
    const engine = new DockerEngine({ host: dockerd.host });
    await importBusyboxImage(dockerd.socketPath, IMAGE);
    const { id } = await engine.createContainer({ name: 'left', body: body('sleep 3600') });
    await engine.startContainer(id);
    const { pid = 0 } = (await engine.inspectContainer(id))!;
    const ours = [dockerd.pid!, pid, ...descendantsOf([dockerd.pid!]).map((entry) => entry.pid)];
    await dockerd.kill();
    engine.close();
    await dockerd.dispose();
    expect(stillRunning(ours)).toEqual([]);
    const folder = dockerd.socketPath.replace('/docker.sock', '');
    expect(listProcesses().filter(({ commandLine }) => commandLine.includes(folder))).toEqual([]);
  });
});

const HOST_CONFIG: CreateHostConfig = { RestartPolicy: { Name: 'no' } };

function body(script: string, more: Partial<ContainerCreateBody> = {}): ContainerCreateBody {
  return { Image: IMAGE, Cmd: ['sh', '-c', script], HostConfig: HOST_CONFIG, ...more };
}

function device(path: string) {
  return { PathOnHost: path, PathInContainer: path, CgroupPermissions: 'rwm' };
}

/** Reads to the end; `open` resolves with the first line. */
function drained(lines: AsyncIterable<LogLine>) {
  let first = (): void => undefined;
  const open = new Promise<void>((resolve) => (first = resolve));
  const read = async () => {
    for await (const line of lines) {
      expect(line.data.toString()).toBe('tick');
      first();
    }
  };
  return { open, ended: read() };
}
