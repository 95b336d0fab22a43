import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { puts, remove } from '../../pkg/objects/index.js';
import { aNode, aNodeHealth, aTask, type TaskOptions } from '../../test/builders/objects.js';
import { SwarmctlFixture } from '../../test/fixtures/swarmctl.js';

let ctl: SwarmctlFixture;
beforeEach(async () => {
  ctl = await SwarmctlFixture.start();
  await ctl.api.put(puts.node(ctl.api.keys, aNode('n1')), puts.node(ctl.api.keys, aNode('n2')));
});
afterEach(() => ctl.dispose());

const specOf = (id = 'n1') => ctl.api.world.nodes.get(id)?.spec;

async function putTask(options: TaskOptions): Promise<void> {
  const { task, status } = aTask(options);
  const { keys } = ctl.api;
  await ctl.api.put(puts.task(keys, task), ...(status ? [puts.taskStatus(keys, status)] : []));
}

describe('drain, cordon, uncordon', () => {
  it('close and open nodes', async () => {
    expect(await ctl.run('cordon n1 host-n2')).toEqual({
      code: 0,
      out: 'node/host-n1 cordoned\nnode/host-n2 cordoned\n',
      err: '',
    });
    expect(specOf()).toMatchObject({ availability: 'pause' });
    expect((await ctl.run('cordon n1')).out).toBe('node/host-n1 is cordoned already\n');
    expect((await ctl.run('drain n1')).out).toBe('node/host-n1 draining\n');
    expect((await ctl.run('drain n1')).out).toBe('node/host-n1 is drained already\n');
    expect((await ctl.run('uncordon n1')).out).toBe('node/host-n1 uncordoned\n');
    expect(specOf()).toEqual({ role: 'worker', availability: 'active' });
    expect(await ctl.run('drain nope')).toMatchObject({ code: 1 });
  });

  it('drain by force, and by no force after all', async () => {
    await ctl.run('drain n1 --force');
    expect(specOf()).toMatchObject({ availability: 'drain', drainMode: 'force' });
    expect((await ctl.run('describe node n1')).out).toContain('drain by force');
    expect((await ctl.run('drain n1')).out).toBe('node/host-n1 draining\n');
    expect(specOf()).not.toHaveProperty('drainMode');
    await ctl.run('drain n1 --force');
    await ctl.run('uncordon n1');
    await ctl.run('node update --availability drain n1');
    expect(specOf()).not.toHaveProperty('drainMode');
  });

  it('drain --wait ends when nothing runs there any more', async () => {
    const web = { id: 'a', state: 'running', nodeId: 'n1' } as const;
    await putTask(web);
    await putTask({ id: 'b', slot: 2, state: 'failed', desiredState: 'shutdown', nodeId: 'n1' });
    await putTask({ id: 'c', slot: 3, state: 'running', nodeId: 'n2' });
    const waiting = ctl.run('drain n1 n2 --wait', {
      onOutput: (text) => {
        if (text.includes('host-n2 draining')) void putTask({ ...web, state: 'shutdown' });
        if (text.includes('host-n1 drained')) {
          void ctl.api.put(remove(ctl.api.keys.task('c')));
        }
      },
    });
    expect(await waiting).toMatchObject({
      code: 0,
      out: 'node/host-n1 draining\nnode/host-n2 draining\nnode/host-n1 drained\nnode/host-n2 drained\n',
    });
  });

  it('drain --wait does not wait for what a lost node cannot tell', async () => {
    await putTask({ id: 'a', state: 'running', desiredState: 'shutdown', nodeId: 'n1' });
    await ctl.api.put(puts.nodeHealth(ctl.api.keys, aNodeHealth('n1', { state: 'lost' })));
    expect(await ctl.run('drain n1 --wait')).toMatchObject({ code: 0 });
  });

  it('drain --wait says in the end what keeps the node from being empty', async () => {
    const pending = {
      message: '0/2 nodes: 1 drained, 1 insufficient memory',
      filters: [],
      since: '2026-01-01T00:00:00.000Z',
    };
    await putTask({ id: 'a', state: 'running' });
    await putTask({ id: 'a2', moves: 'a', pending });
    await putTask({ id: 'b', slot: 2, state: 'running' });
    await putTask({ id: 'b2', slot: 2, moves: 'b', state: 'starting', nodeId: 'n2' });
    await putTask({ id: 'c', slot: 3, state: 'running' });
    await putTask({ id: 'd', slot: 4, state: 'running', desiredState: 'shutdown' });
    const { code, out, err } = await ctl.run('drain n1 --wait --timeout 100ms');
    expect({ code, out }).toEqual({ code: 3, out: 'node/host-n1 draining\n' });
    expect(err).toBe(
      [
        'node/host-n1: 4 tasks to go',
        'error: node/host-n1: 4 tasks to go after 100ms; it stays drained',
        `  web.1 stays until the one in its place serves, which is pending: ${pending.message}`,
        '  web.2 stays until the one in its place serves, which is starting',
        '  web.3 waits for its turn: the service may not miss more tasks',
        '  web.4 is being stopped',
        'See `swarmctl describe KIND NAME` for its conditions, tasks and events.',
        '',
      ].join('\n'),
    );
  });

  it('drain --wait ends when somebody opens the node again', async () => {
    await putTask({ id: 'a', state: 'running' });
    const waiting = ctl.run('drain n1 --wait', {
      onOutput: () => void ctl.run('uncordon n1'),
    });
    expect(await waiting).toMatchObject({
      code: 1,
      err: expect.stringContaining('node host-n1 is drained no more: somebody opened it') as string,
    });
  });
});

describe('node', () => {
  it('rm removes nodes, ready ones only by force', async () => {
    await ctl.api.put(puts.nodeHealth(ctl.api.keys, aNodeHealth('n1')));
    const { code, out, err } = await ctl.run('node rm n1 host-n2 nope');
    expect({ code, out }).toEqual({ code: 1, out: 'host-n2\n' });
    expect(err).toContain('error: node host-n1 is ready: drain it (swarmctl drain)');
    expect(err).toContain('nope');
    expect(specOf('n2')).toBeUndefined();
    expect((await ctl.run('node rm -f n1')).out).toBe('n1\n');
    expect(specOf('n1')).toBeUndefined();
  });

  it('update names the roles that there are', async () => {
    expect((await ctl.run('node update --role boss n1')).err).toContain('worker, manager');
  });
});

describe('managers', () => {
  const managers = async () =>
    (await ctl.run('get managers')).out
      .split('\n')
      .slice(1, -1)
      .map((row) => row.split(/ {2,}/));

  it('are shown with leader and reachability, and on their nodes as Docker does', async () => {
    const { keys } = ctl.api;
    const away = { ...{ id: 'm9', hostname: 'host-n2', address: '10.0.0.9:2377' } };
    const value = { ...away, softwareVersion: '0.1.0', startedAt: '2026-01-01T00:00:00.000Z' };
    await ctl.api.put({ kind: 'put', key: keys.knownManager('m9'), value });
    await ctl.api.put(puts.node(keys, aNode('m1')));
    expect((await managers()).map(([id, , , status]) => [id, status])).toEqual([
      ['m1', 'Reachable'],
      ['m9', 'Unreachable'],
    ]);
    await ctl.api.put({
      kind: 'put',
      key: keys.leader,
      value: { managerId: 'm1', address: '10.0.0.1:2377' },
    });
    expect((await managers()).map(([id, , , status]) => [id, status])).toEqual([
      ['m1', 'Leader'],
      ['m9', 'Unreachable'],
    ]);
    const rows = (await ctl.run(['node', 'ls', '--format', '{{.Hostname}}={{.ManagerStatus}}']))
      .out;
    expect(rows).toBe('host-m1=Leader\nhost-n1=\nhost-n2=Unreachable\n');
    expect((await ctl.run('node inspect --pretty n2')).out).toContain('Unreachable');
    expect(
      (await ctl.run('get managers --field-selector status.reachability=unreachable')).out,
    ).not.toContain('m1');
    expect((await ctl.run('swarm join-token worker')).out).not.toContain('10.0.0.9');
  });

  it('are forgotten when they are away, and only then', async () => {
    const { keys } = ctl.api;
    expect(await ctl.run('delete manager m1')).toMatchObject({
      code: 1,
      err: 'error: manager m1 runs on host-m1: stop it first\n',
    });
    await ctl.api.put(remove(keys.manager('m1')));
    expect((await ctl.run('delete manager host-m1')).out).toBe('manager/m1 deleted\n');
    expect(await managers()).toEqual([]);
    expect(await ctl.run('delete manager m1')).toMatchObject({ code: 1 });
  });
});
