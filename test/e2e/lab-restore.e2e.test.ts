/**
 * The drill of docs/disaster-recovery.md: etcd is lost and comes back from a backup that is older than what runs.
 * Whatever is restarted with it, no container is touched until a person accepts what was restored.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { programPath } from '../fixtures/program.js';
import { eventually } from '../fixtures/eventually.js';
import { startLab } from '../lab/boot.js';
import { describeWithLab } from '../lab/describe-with-lab.js';
import type { Lab } from '../lab/lab.js';
import { etcdData, etcdFlags, etcdUrl, managerState, membershipFlags } from '../lab/programs.js';
import { Scenario, shortOrLong } from '../lab/scenario.js';

describeWithLab('a lab whose etcd is restored', () => {
  let lab: Lab;
  let scenario: Scenario;

  beforeAll(async () => {
    lab = await startLab({ hosts: 2, managers: 2 });
    scenario = new Scenario(lab);
  });
  afterAll(() => lab.dispose());
  afterEach(() => scenario.cleanUp());

  const must = async (args: readonly string[]) => {
    const result = await lab.swarmctl(args);
    expect(result, `${args.join(' ')}\n${result.stdout}${result.stderr}`).toMatchObject({
      code: 0,
    });
    return result;
  };
  const plans = () => lab.etcds.map(({ plan }) => plan);
  const stopManagers = () => Promise.all(lab.managers.map((manager) => manager.stop()));
  const startManagers = async () => {
    await Promise.all(lab.managers.map((manager) => manager.start()));
    await Promise.all(lab.managers.map((manager) => manager.untilReady()));
  };
  const wipeEtcd = async () => {
    await Promise.all(lab.etcds.map((member) => member.stop()));
    const folders = lab.etcds.map(({ machine }) => etcdData(machine));
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
  };
  const startEtcd = async () => {
    await Promise.all(lab.etcds.map((member) => member.start()));
    await Promise.all(lab.etcds.map((member) => member.untilReady()));
  };

  /** Runs `save` among changes; resolves to the containers at that time and at the end. */
  const withBackup = async (save: () => Promise<unknown>) => {
    await scenario.apply('web', { replicas: 4 });
    const then = await scenario.ids();
    await save();
    await scenario.declare('web', { replicas: 6 });
    await scenario.apply('later', { replicas: 2 });
    const now = await scenario.ids();
    expect(now).toHaveLength(8);
    return { then, now };
  };

  /** Both nodes are frozen and nothing changes; then a person accepts, and what was saved is what runs. */
  const isKeptUntilAccepted = async ({ then, now }: Awaited<ReturnType<typeof withBackup>>) => {
    await eventually('frozen nodes', async () => {
      const { stdout } = await lab.swarmctl(['get', 'nodes']);
      return stdout.match(/ready,frozen/g)?.length === 2;
    });
    await lab.connect(); // a client waits for what it has seen
    await eventually('a leader', async () => (await lab.leader()).name !== '');
    await delay(shortOrLong(2_000, 30_000)); // in which a mistake would be made
    expect(await scenario.ids()).toEqual(now);
    const { stderr } = await must(['cluster', 'accept-history', '--dry-run']);
    expect(stderr).toMatch(/The store holds 1 services, \d+ tasks and 2 nodes\./);
    expect((await must(['describe', 'cluster', 'default'])).stdout).toMatch(/HistoryKept +false/);
    await must(['cluster', 'accept-history', '--yes']);
    await lab.assertWhole();
    expect(await scenario.ids()).toEqual(then);
    expect((await must(['get', 'nodes'])).stdout).not.toContain('frozen');
    expect((await must(['describe', 'cluster', 'default'])).stdout).toMatch(/HistoryKept +true/);
  };

  it('from `swarmctl cluster backup`, with every program restarted', async () => {
    const file = join(lab.folder, 'cluster.backup');
    const containers = await withBackup(() => must(['cluster', 'backup', '-o', file]));
    await stopManagers();
    await Promise.all(lab.hosts.map((host) => host.kill('agent')));
    await wipeEtcd();
    await startEtcd();
    const { machine } = lab.manager('m1');
    const words = await machine.run([
      ...[process.execPath, programPath('swarm-manager'), 'restore', '--file', file],
      ...['--state-dir', managerState(machine), ...etcdFlags(plans(), lab.certificates)],
    ]);
    expect(words).toContain('1 services, 2 nodes');
    await startManagers();
    await Promise.all(lab.hosts.map((host) => host.start('agent')));
    await isKeptUntilAccepted(containers);
  });

  it('from `etcdctl snapshot save`, with managers and agents running through it', async () => {
    const file = join(lab.folder, 'etcd.snapshot');
    const { ca, clientCert, clientKey } = lab.certificates;
    const [first] = lab.etcds;
    const containers = await withBackup(() =>
      first!.machine.run([
        ...['etcdctl', `--endpoints=${etcdUrl(first!.plan)}`, `--cacert=${ca}`],
        ...[`--cert=${clientCert}`, `--key=${clientKey}`, 'snapshot', 'save', file],
      ]),
    );
    await wipeEtcd();
    for (const { machine, plan } of lab.etcds) {
      await machine.run([
        ...['etcdctl', 'snapshot', 'restore', file, `--data-dir=${etcdData(machine)}`],
        ...membershipFlags(plan, plans()),
      ]);
    }
    await startEtcd();
    await isKeptUntilAccepted(containers);
  });
});
