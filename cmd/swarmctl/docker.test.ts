import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServiceSpec, UpdateStatus } from '../../api/v1/index.js';
import { puts } from '../../pkg/objects/index.js';
import {
  aNode,
  aNodeHealth,
  aNodeStatus,
  aRevision,
  aService,
  aTask,
} from '../../test/builders/objects.js';
import { SwarmctlFixture } from '../../test/fixtures/swarmctl.js';

let ctl: SwarmctlFixture;
beforeEach(async () => {
  ctl = await SwarmctlFixture.start();
});
afterEach(() => ctl.dispose());

const DIGEST = `sha256:${'0'.repeat(64)}`;

/** Everything that Docker has a name for. */
const FULL: ServiceSpec = {
  mode: { replicated: { replicas: 2 } },
  task: {
    container: {
      image: `nginx:1.27@${DIGEST}`,
      command: ['sh', '-c'],
      args: ['sleep 1'],
      env: { A: '1', B: 'two' },
      dir: '/w',
      user: '1:2',
      labels: { inner: 'yes' },
      init: true,
      tty: true,
      shmSize: '64Mi',
      hosts: ['db:10.0.0.5'],
      dnsConfig: { nameservers: ['1.1.1.1'] },
      healthcheck: { test: ['CMD-SHELL', 'true'], interval: '5s', retries: 2 },
      privileges: { credentialSpec: { file: 'a.json' }, noNewPrivileges: true },
      capabilityAdd: ['CAP_NET_ADMIN'],
      capabilityDrop: ['ALL'],
      sysctls: { 'net.core.somaxconn': 1024 },
      ulimits: [{ name: 'nofile', soft: 10, hard: 20 }],
      mounts: [
        { source: 'data', target: '/data', volume: { driver: 'local', driverOptions: { a: 'b' } } },
        {
          type: 'bind',
          source: '/a',
          target: '/b',
          readOnly: true,
          bind: { propagation: 'rslave' },
        },
        { type: 'tmpfs', target: '/t', tmpfs: { size: '1Mi', mode: '1770' } },
      ],
    },
    resources: {
      limits: { cpus: 0.5, memory: '64Mi', pids: 100 },
      reservations: { memory: '32Mi', genericResources: [{ kind: 'GPU', value: 1 }] },
    },
    restartPolicy: { condition: 'on-failure', maxAttempts: 3 },
    placement: {
      constraints: ['node.role==worker'],
      preferences: [{ spread: 'node.labels.zone' }],
      maxReplicasPerNode: 2,
    },
    logDriver: { name: 'json-file', options: { 'max-size': '10m' } },
    forceUpdate: 1,
  },
  endpoint: { ports: [{ target: 80, published: 8080, mode: 'host' }] },
};

async function putService(name: string, spec?: ServiceSpec, labels = {}): Promise<void> {
  const service = { ...aService({ name, meta: { labels } }), ...(spec && { spec }) };
  await ctl.api.put(puts.service(ctl.api.keys, service));
}

async function putNode(id: string, hostname = `host-${id}`): Promise<void> {
  const { keys } = ctl.api;
  const node = aNode(id, { labels: { disk: 'ssd' } });
  const renamed = { ...node, metadata: { ...node.metadata, name: hostname } };
  await ctl.api.put(
    puts.node(keys, renamed),
    puts.nodeStatus(keys, aNodeStatus(id)),
    puts.nodeHealth(keys, aNodeHealth(id)),
  );
}

describe('service inspect', () => {
  it("speaks the form of Docker's API", async () => {
    await putService('web', FULL, { tier: 'front' });
    const [service] = JSON.parse((await ctl.run('service inspect web')).out);
    expect(service).toMatchInlineSnapshot(`
      {
        "CreatedAt": "2026-01-01T00:00:00.000Z",
        "Endpoint": {
          "Ports": [
            {
              "Protocol": "tcp",
              "PublishMode": "host",
              "PublishedPort": 8080,
              "TargetPort": 80,
            },
          ],
          "Spec": {
            "Mode": "vip",
            "Ports": [
              {
                "Protocol": "tcp",
                "PublishMode": "host",
                "PublishedPort": 8080,
                "TargetPort": 80,
              },
            ],
          },
        },
        "ID": "uid-web",
        "ServiceStatus": {
          "DesiredTasks": 0,
          "RunningTasks": 0,
        },
        "Spec": {
          "EndpointSpec": {
            "Mode": "vip",
            "Ports": [
              {
                "Protocol": "tcp",
                "PublishMode": "host",
                "PublishedPort": 8080,
                "TargetPort": 80,
              },
            ],
          },
          "Labels": {
            "tier": "front",
          },
          "Mode": {
            "Replicated": {
              "Replicas": 2,
            },
          },
          "Name": "web",
          "RollbackConfig": {
            "FailureAction": "pause",
            "MaxFailureRatio": 0,
            "Monitor": 5000000000,
            "Order": "stop-first",
            "Parallelism": 1,
          },
          "TaskTemplate": {
            "ContainerSpec": {
              "Args": [
                "sleep 1",
              ],
              "CapabilityAdd": [
                "CAP_NET_ADMIN",
              ],
              "CapabilityDrop": [
                "ALL",
              ],
              "Command": [
                "sh",
                "-c",
              ],
              "DNSConfig": {
                "Nameservers": [
                  "1.1.1.1",
                ],
              },
              "Dir": "/w",
              "Env": [
                "A=1",
                "B=two",
              ],
              "Healthcheck": {
                "Interval": 5000000000,
                "Retries": 2,
                "Test": [
                  "CMD-SHELL",
                  "true",
                ],
              },
              "Hosts": [
                "10.0.0.5 db",
              ],
              "Image": "nginx:1.27@sha256:0000000000000000000000000000000000000000000000000000000000000000",
              "Init": true,
              "Isolation": "default",
              "Labels": {
                "inner": "yes",
              },
              "Mounts": [
                {
                  "Source": "data",
                  "Target": "/data",
                  "Type": "volume",
                  "VolumeOptions": {
                    "DriverConfig": {
                      "Name": "local",
                      "Options": {
                        "a": "b",
                      },
                    },
                  },
                },
                {
                  "BindOptions": {
                    "Propagation": "rslave",
                  },
                  "ReadOnly": true,
                  "Source": "/a",
                  "Target": "/b",
                  "Type": "bind",
                },
                {
                  "Target": "/t",
                  "TmpfsOptions": {
                    "Mode": 1016,
                    "SizeBytes": 1048576,
                  },
                  "Type": "tmpfs",
                },
              ],
              "Privileges": {
                "CredentialSpec": {
                  "File": "a.json",
                },
                "NoNewPrivileges": true,
              },
              "ShmSize": "64Mi",
              "StopGracePeriod": 10000000000,
              "Sysctls": {
                "net.core.somaxconn": 1024,
              },
              "TTY": true,
              "Ulimits": [
                {
                  "Hard": 20,
                  "Name": "nofile",
                  "Soft": 10,
                },
              ],
              "User": "1:2",
            },
            "ForceUpdate": 1,
            "LogDriver": {
              "Name": "json-file",
              "Options": {
                "max-size": "10m",
              },
            },
            "Placement": {
              "Constraints": [
                "node.role==worker",
              ],
              "MaxReplicas": 2,
              "Preferences": [
                {
                  "Spread": {
                    "SpreadDescriptor": "node.labels.zone",
                  },
                },
              ],
            },
            "Resources": {
              "Limits": {
                "MemoryBytes": 67108864,
                "NanoCPUs": 500000000,
                "Pids": 100,
              },
              "Reservations": {
                "GenericResources": [
                  {
                    "DiscreteResourceSpec": {
                      "Kind": "GPU",
                      "Value": 1,
                    },
                  },
                ],
                "MemoryBytes": 33554432,
              },
            },
            "RestartPolicy": {
              "Condition": "on-failure",
              "Delay": 5000000000,
              "MaxAttempts": 3,
              "Window": 0,
            },
            "Runtime": "container",
          },
          "UpdateConfig": {
            "FailureAction": "pause",
            "MaxFailureRatio": 0,
            "Monitor": 5000000000,
            "Order": "stop-first",
            "Parallelism": 1,
          },
        },
        "UpdatedAt": "2026-01-01T00:00:00.000Z",
        "Version": {
          "Index": 4,
        },
      }
    `);
  });

  it('fills in what is in effect', async () => {
    await putService('web');
    const [service] = JSON.parse((await ctl.run('service inspect web')).out);
    expect(service.Spec).toMatchInlineSnapshot(`
      {
        "EndpointSpec": {
          "Mode": "vip",
        },
        "Labels": {},
        "Mode": {
          "Replicated": {
            "Replicas": 1,
          },
        },
        "Name": "web",
        "RollbackConfig": {
          "FailureAction": "pause",
          "MaxFailureRatio": 0,
          "Monitor": 5000000000,
          "Order": "stop-first",
          "Parallelism": 1,
        },
        "TaskTemplate": {
          "ContainerSpec": {
            "Image": "app:1",
            "Isolation": "default",
            "StopGracePeriod": 10000000000,
          },
          "ForceUpdate": 0,
          "Placement": {},
          "Resources": {
            "Limits": {},
            "Reservations": {},
          },
          "RestartPolicy": {
            "Condition": "any",
            "Delay": 5000000000,
            "MaxAttempts": 0,
            "Window": 0,
          },
          "Runtime": "container",
        },
        "UpdateConfig": {
          "FailureAction": "pause",
          "MaxFailureRatio": 0,
          "Monitor": 5000000000,
          "Order": "stop-first",
          "Parallelism": 1,
        },
      }
    `);
  });

  it('is readable for people', async () => {
    await putService('web', FULL, { tier: 'front' });
    expect((await ctl.run('service inspect --pretty web')).out).toMatchInlineSnapshot(`
      "ID:             uid-web
      Name:           web
      Labels:
       tier=front
      Service Mode:   Replicated
       Replicas:      2
      Placement:
       Constraints:   [node.role==worker]
       Preferences:   [spread=node.labels.zone]
       Max Replicas Per Node: 2
      UpdateConfig:
       Parallelism:   1
       On failure:    pause
       Monitoring Period: 5s
       Max failure ratio: 0
       Update order:  stop-first
      RollbackConfig:
       Parallelism:   1
       On failure:    pause
       Monitoring Period: 5s
       Max failure ratio: 0
       Rollback order: stop-first
      ContainerSpec:
       Image:         nginx:1.27@sha256:0000000000000000000000000000000000000000000000000000000000000000
       Entrypoint:    sh -c
       Args:          sleep 1
       Env:           A=1 B=two
       Dir:           /w
       Init:          true
       User:          1:2
      Capabilities:
       Add:           CAP_NET_ADMIN
       Drop:          ALL
      SysCtls:
       net.core.somaxconn: 1024
      Ulimits:
       nofile: 10:20
      Mounts:
       Target:        /data
        Source:       data
        ReadOnly:     false
        Type:         volume
       Target:        /b
        Source:       /a
        ReadOnly:     true
        Type:         bind
       Target:        /t
        ReadOnly:     false
        Type:         tmpfs
      Log Driver:
       Name:          json-file
       LogOpts:
        max-size: 10m
      Resources:
       Reservations:
        Memory:       32MiB
       Limits:
        CPU:          0.5
        Memory:       64MiB
        PIDs:         100
      Endpoint Mode:  vip
      Ports:
       PublishedPort = 8080
        Protocol = tcp
        TargetPort = 80
        PublishMode = host
      Healthcheck:
        Interval = 5s
        Retries = 2
        Tests:
         Test = CMD-SHELL
         Test = true
      "
    `);
    await putService('plain', { ...aService().spec, mode: { global: {} } });
    expect((await ctl.run('service inspect --pretty plain')).out).toMatchInlineSnapshot(`
      "ID:             uid-plain
      Name:           plain
      Service Mode:   Global
      Placement:
      UpdateConfig:
       Parallelism:   1
       On failure:    pause
       Monitoring Period: 5s
       Max failure ratio: 0
       Update order:  stop-first
      RollbackConfig:
       Parallelism:   1
       On failure:    pause
       Monitoring Period: 5s
       Max failure ratio: 0
       Rollback order: stop-first
      ContainerSpec:
       Image:         app:1
      Endpoint Mode:  vip
      "
    `);
  });

  it.each([
    ['{{.ID}} {{.Spec.Name}}', 'uid-web web'],
    ['{{.Spec.Mode.Replicated.Replicas}}', '2'],
    ['{{range .Spec.TaskTemplate.ContainerSpec.Env}}{{println .}}{{end}}', 'A=1\nB=two\n'],
    ['{{index .Spec.Labels "tier"}}', 'front'],
    [
      '{{json .Endpoint.Ports}}',
      '[{"Protocol":"tcp","TargetPort":80,"PublishedPort":8080,"PublishMode":"host"}]',
    ],
    ['{{.Spec.TaskTemplate.Resources.Limits.MemoryBytes}}', '67108864'],
    ['{{if .UpdateStatus}}{{.UpdateStatus.State}}{{else}}never{{end}}', 'never'],
    ['{{.spec.task.container.image}}', `nginx:1.27@${DIGEST}`],
    ['{{.metadata.labels}}', 'map[tier:front]'],
  ])('-f %s', async (format, expected) => {
    await putService('web', FULL, { tier: 'front' });
    expect(await ctl.run(['service', 'inspect', '-f', format, 'web'])).toEqual({
      code: 0,
      out: `${expected}\n`,
      err: '',
    });
  });

  it('tells how an update goes', async () => {
    await putService('web');
    const update: UpdateStatus = {
      ...{ state: 'updating', attempt: 1, from: 1, to: 2, wanted: 2, retries: 0, tasks: 3 },
      ...{ failed: [], startedAt: '2026-01-01T00:04:00.000Z', message: 'update in progress' },
    };
    const counts = { desired: 1, running: 1, updated: 0, pending: 0, failed: 0, conditions: [] };
    const status = { serviceUid: 'uid-web', observedGeneration: 1, revision: 2, ...counts, update };
    const { keys } = ctl.api;
    await ctl.api.put(puts.serviceStatus(keys, 'web', status));
    expect(
      (await ctl.run(['service', 'inspect', '-f', '{{.UpdateStatus.State}}', 'web'])).out,
    ).toBe('updating\n');
    expect((await ctl.run('service inspect --pretty web')).out).toContain(
      [
        'UpdateStatus:',
        ' State:         updating',
        ' Started:       About a minute ago',
        ' Message:       update in progress',
        '',
      ].join('\n'),
    );
  });

  it('shows those that are there, and tells of the others', async () => {
    await putService('web');
    expect(await ctl.run(['service', 'inspect', '-f', '{{.Spec.Name}}', 'web', 'wep'])).toEqual({
      code: 1,
      out: 'web\n',
      err: 'error: service/wep not found; did you mean web?\n',
    });
    expect(await ctl.run('service inspect --pretty -f x web')).toMatchObject({ code: 2 });
  });
});

describe('service ls', () => {
  beforeEach(async () => {
    await putService('web10', FULL, { tier: 'front' });
    await putService('web2', {
      ...aService().spec,
      endpoint: {
        ports: [
          { target: 81, published: 8001, mode: 'host' },
          { target: 80, published: 8000, mode: 'host' },
          { target: 53, published: 53, protocol: 'udp', mode: 'host' },
        ],
      },
    });
    await putService('agent', { ...aService().spec, mode: { global: {} } });
  });

  it('is in the order in which people count', async () => {
    expect((await ctl.run('service ls')).out).toMatchInlineSnapshot(`
      "ID          NAME    MODE         REPLICAS               IMAGE        PORTS
      uid-agent   agent   global       0/0                    app:1
      uid-web2    web2    replicated   0/1                    app:1        *:8000-8001->80-81/tcp, *:53->53/udp
      uid-web10   web10   replicated   0/2 (max 2 per node)   nginx:1.27   *:8080->80/tcp
      "
    `);
  });

  it.each([
    ['--format json', '"Mode":"global","Name":"agent","Ports":"","Replicas":"0/0"}'],
    [
      '--format raw --filter name=agent',
      'id: uid-agent\nname: agent\nmode: global\nreplicas: 0/0\n',
    ],
    ['-q --filter name=web', 'uid-web2\nuid-web10\n'],
    ['-q --filter name=web --format {{.Name}}', 'web2\nweb10\n'],
    ['-q --filter label=tier', 'uid-web10\n'],
    ['-q --filter label=tier=back', ''],
    ['-q --filter mode=global', 'uid-agent\n'],
    ['-q --filter id=uid-web2', 'uid-web2\n'],
  ])('%s', async (flags, expected) => {
    const { out } = await ctl.run(`service ls ${flags}`);
    if (expected === '') expect(out).toBe('');
    else expect(out).toContain(expected);
  });

  it("takes people's own format from Docker's configuration", async () => {
    const folder = join(ctl.folder, '.docker');
    await mkdir(folder);
    await writeFile(join(folder, 'config.json'), '{"servicesFormat":"{{.Name}}!"}');
    const env = { HOME: ctl.folder };
    expect((await ctl.run('service ls', { env })).out).toBe('agent!\nweb2!\nweb10!\n');
    expect((await ctl.run('service ls -q', { env })).out).toBe('uid-agent\nuid-web2\nuid-web10\n');
    expect((await ctl.run('service ls --format table', { env })).out).toMatch(/^ID /);
    await writeFile(join(folder, 'config.json'), 'odd');
    const { out, err } = await ctl.run('service ls', { env: { DOCKER_CONFIG: folder } });
    expect(out).toMatch(/^ID /);
    expect(err).toMatch(/^warning: .*config\.json is not read/);
  });
});

describe('service ps', () => {
  beforeEach(async () => {
    const { keys } = ctl.api;
    await putNode('n1');
    const service = { ...aService({ replicas: 2 }), spec: FULL };
    await ctl.api.put(puts.service(keys, service), puts.serviceRevision(keys, aRevision(service)));
    const long = 'x'.repeat(100);
    for (const options of [
      { id: 'aaaaaaaaaaaaaaa1', state: 'running' },
      {
        id: 'aaaaaaaaaaaaaaa0',
        state: 'failed',
        desiredState: 'shutdown',
        status: { error: long },
      },
      { id: 'bbbbbbbbbbbbbbb1', slot: 2, state: 'running' },
    ] as const) {
      const { task, status } = aTask(options);
      await ctl.api.put(puts.task(keys, task), puts.taskStatus(keys, status!));
    }
  });

  it.each([
    ['web --filter label=tier', ''],
    ['web -q --filter desired-state=shutdown', 'aaaaaaaaaaaa\n'],
    ['web -q --no-trunc --filter name=web.2', 'bbbbbbbbbbbbbbb1\n'],
    ['web -q --filter node=host-n1 --filter name=web.2', 'bbbbbbbbbbbb\n'],
    ['web --format {{.Name}}@{{.Node}}:{{.Image}} --filter id=bbbb', 'web.2@host-n1:nginx:1.27\n'],
    ['web --no-resolve --format {{.Name}}@{{.Node}} --filter id=bbbb', 'uid-web.2@n1\n'],
    ['web --no-trunc --format {{.Image}} --filter id=bbbb', `nginx:1.27@${DIGEST}\n`],
    ['web --format {{.Error}} --filter desired-state=shutdown', `"${'x'.repeat(75)}…"\n`],
    [
      'web --no-trunc --format {{.Error}} --filter desired-state=shutdown',
      `"${'x'.repeat(100)}"\n`,
    ],
  ])('%s', async (flags, expected) => {
    const { out } = await ctl.run(`service ps ${flags}`);
    if (expected === '') expect(out).toMatch(/^ID[^\n]*\n$/);
    else expect(out).toBe(expected);
  });

  it('lists the tasks of a service once, and tells of one that is not there', async () => {
    const { code, out, err } = await ctl.run('service ps -q web nope web');
    expect({ code, err }).toEqual({
      code: 1,
      err: 'error: service/nope not found; see `swarmctl get services`\n',
    });
    expect(out.split('\n')).toHaveLength(4);
  });
});

describe('service scale', () => {
  it('goes on after one that cannot be scaled', async () => {
    await putService('web');
    await putService('agent', { ...aService().spec, mode: { global: {} } });
    expect(await ctl.run('service scale -d agent=2 web=3 nope=1')).toEqual({
      code: 1,
      out: 'web scaled to 3\n',
      err: 'error: agent: service/agent is global: it has one task on every eligible node\nerror: nope: service/nope not found; see `swarmctl get services`\n',
    });
    expect(ctl.api.world.services.get('web')?.spec.mode).toEqual({ replicated: { replicas: 3 } });
  });
});

describe('nodes', () => {
  beforeEach(async () => {
    await putNode('n1', 'host-m1'); // the host of the manager that answers
    await putNode('n10', 'worker-10');
    await putNode('n2', 'worker-2');
  });

  it('are listed with a mark at the one that answers', async () => {
    expect((await ctl.run('node ls')).out).toMatchInlineSnapshot(`
      "ID     HOSTNAME    STATUS   AVAILABILITY   MANAGER STATUS   ENGINE VERSION
      n1 *   host-m1     Ready    Active         Reachable        20.10.24
      n2     worker-2    Ready    Active                          20.10.24
      n10    worker-10   Ready    Active                          20.10.24
      "
    `);
  });

  it.each([
    ['-q', 'n1\nn2\nn10\n'],
    [
      '--filter name=worker --format {{.Hostname}}:{{.Self}}:{{.TLSStatus}}',
      'worker-2:false:Unknown\nworker-10:false:Unknown\n',
    ],
    ['-q --filter membership=accepted --filter role=worker', 'n1\nn2\nn10\n'],
    ['-q --filter membership=pending', ''],
    ['-q --filter node.label=disk=ssd --filter id=n10', 'n10\n'],
  ])('node ls %s', async (flags, expected) => {
    expect((await ctl.run(`node ls ${flags}`)).out).toBe(expected);
  });

  it('are inspected, also by the name self', async () => {
    const own = ctl.api.first.address;
    const shown = async (line: string) => (await ctl.run(line)).out.replaceAll(own, 'HOST:PORT');
    const [node] = JSON.parse(await shown('node inspect self'));
    expect(node).toMatchInlineSnapshot(`
      {
        "CreatedAt": "2026-01-01T00:00:00.000Z",
        "Description": {
          "Engine": {
            "EngineVersion": "20.10.24",
            "Plugins": [
              {
                "Name": "json-file",
                "Type": "Log",
              },
              {
                "Name": "bridge",
                "Type": "Network",
              },
              {
                "Name": "local",
                "Type": "Volume",
              },
            ],
          },
          "Hostname": "host-n1",
          "Platform": {
            "Architecture": "x86_64",
            "OS": "linux",
          },
          "Resources": {
            "MemoryBytes": 8589934592,
            "NanoCPUs": 4000000000,
          },
        },
        "ID": "n1",
        "ManagerStatus": {
          "Addr": "HOST:PORT",
          "Reachability": "reachable",
        },
        "Spec": {
          "Availability": "active",
          "Labels": {
            "disk": "ssd",
          },
          "Role": "worker",
        },
        "Status": {
          "Addr": "10.0.0.1",
          "State": "ready",
        },
        "UpdatedAt": "2026-01-01T00:00:00.000Z",
        "Version": {
          "Index": 4,
        },
      }
    `);
    expect(await shown('node inspect --pretty host-m1')).toMatchInlineSnapshot(`
      "ID:             n1
      Labels:
       - disk=ssd
      Hostname:       host-m1
      Joined at:      2026-01-01T00:00:00.000Z
      Status:
       State:         Ready
       Availability:  Active
       Address:       10.0.0.1
      Manager Status:
       Address:       HOST:PORT
       Status:        Reachable
       Leader:        No
      Platform:
       Operating System: linux
       Architecture:  x86_64
      Resources:
       CPUs:          4
       Memory:        8GiB
      Plugins:
       Log:           json-file
       Network:       bridge
       Volume:        local
      Engine Version: 20.10.24
      "
    `);
    const template = '{{.Description.Platform.OS}} {{.status.state}}';
    expect((await ctl.run(['node', 'inspect', '-f', template, 'worker-2'])).out).toBe(
      'linux ready\n',
    );
  });

  it('show the tasks of the one that answers, unless others are named', async () => {
    const { task, status } = aTask({ id: 'aaaaaaaaaaaaaaa1', state: 'running' });
    await ctl.api.put(puts.task(ctl.api.keys, task), puts.taskStatus(ctl.api.keys, status!));
    expect((await ctl.run('node ps -q')).out).toBe('aaaaaaaaaaaa\n');
    expect((await ctl.run('node ps -q worker-2')).out).toBe('');
    expect(await ctl.run('node ps -q self nope')).toMatchObject({ code: 1, out: 'aaaaaaaaaaaa\n' });
  });
});

describe('service update against a cluster', () => {
  it('changes what is there, keeps why, and says when nothing was there', async () => {
    await putService('web');
    const line = ['service', 'update', '-d', '--image', 'app:2', '--env-add', 'A=1', '-m', 'why'];
    expect(await ctl.run([...line, 'web'])).toEqual({ code: 0, out: 'web\n', err: '' });
    expect(ctl.api.world.services.get('web')).toMatchObject({
      metadata: { generation: 2, annotations: { 'swarm/change-cause': 'why' } },
      spec: { task: { container: { image: 'app:2', env: { A: '1' } } } },
    });
    expect(await ctl.run([...line, 'wep'])).toMatchObject({
      code: 1,
      err: 'error: service/wep not found; did you mean web?\n',
    });
  });

  it('goes back to the revision before', async () => {
    await putService('web');
    const { keys } = ctl.api;
    const service = ctl.api.world.services.get('web')!;
    await ctl.api.put(puts.serviceRevision(keys, aRevision(service, 1)));
    await ctl.run('service update -d --image app:2 web');
    await ctl.run('service scale -d web=4');
    const now = ctl.api.world.services.get('web')!;
    await ctl.api.put(puts.serviceRevision(keys, aRevision(now, 2)));
    const line = ['service', 'update', '-d', '--rollback'];
    expect(await ctl.run([...line, 'web'])).toEqual({ code: 0, out: 'web\n', err: '' });
    expect(ctl.api.world.services.get('web')).toMatchObject({
      metadata: { annotations: { 'swarm/change-cause': 'undo to revision 1' } },
      spec: { mode: { replicated: { replicas: 4 } }, task: { container: { image: 'app:1' } } },
    });
    expect(await ctl.run([...line, '--image', 'app:3', 'web'])).toMatchObject({
      code: 2,
      err: 'error: other flags may not be combined with --rollback\n',
    });
    expect((await ctl.run([...line, 'wep'])).err).toContain('did you mean web?');
  });

  it('loses no change to one that is made at the same time', async () => {
    await putService('web');
    const names = ['A', 'B', 'C', 'D'];
    const lines = names.map((name) => ctl.run(`service update -d --env-add ${name}=1 web`));
    expect((await Promise.all(lines)).map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const env = ctl.api.world.services.get('web')?.spec.task.container.env ?? {};
    expect(Object.keys(env).sort()).toEqual(names);
  });

  it('takes what it changes from the applied document', async () => {
    const stdin =
      'apiVersion: swarm/v1\nkind: Service\nmetadata: { name: web }\nspec: { task: { container: { image: "app:1", env: { A: "1" } } } }\n';
    await ctl.run('apply -f -', { stdin });
    await ctl.run('service update -d --image app:2 web');
    const { out } = await ctl.run('get service web -o json --show-applied');
    expect(JSON.parse(out).applied).toEqual({ spec: { task: { container: { env: { A: '1' } } } } });
  });
});
