import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
  for (const id of ['n1', 'n2']) {
    await ctl.api.put(
      puts.node(ctl.api.keys, aNode(id, { labels: id === 'n1' ? { disk: 'ssd' } : {} })),
      puts.nodeStatus(ctl.api.keys, aNodeStatus(id)),
      puts.nodeHealth(ctl.api.keys, aNodeHealth(id)),
    );
  }
});
afterEach(() => ctl.dispose());

const WEB = `apiVersion: swarm/v1
kind: Service
metadata: { name: web }
spec:
  mode: { replicated: { replicas: 3 } }
  task:
    container: { image: 'app:1' }
    resources: { reservations: { memory: 6Gi } }
    placement: { constraints: [node.labels.disk == ssd] }
`;
const planned = (stdin = WEB, flags = '') => ctl.run(`plan -f - ${flags}`.trim(), { stdin });

describe('plan', () => {
  it('shows changes, steps, placement and what every node says, and exits with 1', async () => {
    const { code, out, err } = await planned();
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out).toBe(
      [
        'service/web created',
        '',
        'Steps:',
        '  STEP   AFTER   TASK    WHAT',
        '  1              web.1   new on host-n1',
        '                 web.2   new, finds no node',
        '                 web.3   new, finds no node',
        '',
        'Placement:',
        '  SERVICE   BEFORE   AFTER   NODES AFTER   UPDATE',
        '  web       0/0      1/3     host-n1       -',
        '',
        'Without a node after, of web: web.2, web.3:',
        '  0/2 nodes: 1 constraint node.labels.disk == ssd, 1 insufficient memory',
        '    1 node: constraint node.labels.disk == ssd (constraints)',
        '    1 node: insufficient memory (resources)',
        '    NODE      FILTER        ANSWER',
        '    host-n1   resources     insufficient memory (wants 6 GiB, 2 GiB free)',
        '    host-n2   constraints   constraint node.labels.disk == ssd, it has none',
        '',
      ].join('\n'),
    );
    expect(ctl.api.world.services.size).toBe(0);
    expect(ctl.api.world.tasks.size).toBe(0);
  });

  it('exits with 0 when nothing would change', async () => {
    await ctl.run('apply -f -', { stdin: WEB });
    expect(await planned()).toMatchObject({ code: 0 });
    const changed = await planned(WEB.replace('app:1', 'app:2'));
    expect(changed.code).toBe(1);
    expect(changed.out).toContain('    spec.task.container.image: app:1 -> app:2\n');
  });

  it('exits with 2 when it cannot be told', async () => {
    expect(await ctl.run('plan')).toMatchObject({ code: 2, out: '' });
    const wrong = await planned(WEB.replace('node.labels.disk', 'node..disk'));
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('stdin:');
  });

  it('plans what a node loses', async () => {
    await ctl.run('apply -f -', { stdin: WEB });
    const { uid } = ctl.api.world.services.get('web')!.metadata;
    const { task, status } = aTask({ state: 'running', serviceUid: uid });
    await ctl.api.put(puts.task(ctl.api.keys, task), puts.taskStatus(ctl.api.keys, status!));
    const node = 'apiVersion: swarm/v1\nkind: Node\nmetadata: { name: host-n1 }\nspec:';
    const { code, out } = await planned(`${node} { role: worker, availability: drain }\n`);
    expect(code).toBe(1);
    expect(out).toContain('spec.availability: active -> drain');
    expect(out).toContain(
      'web.1   stays on host-n1 until it finds another node (node host-n1 is drained)',
    );
  });

  it('plans what would be pruned', async () => {
    await ctl.run('apply -f -', { stdin: WEB });
    const other = WEB.replace('name: web', 'name: api');
    const { out } = await planned(other, '--prune --all');
    expect(out).toMatch(/^service\/api created\nservice\/web deleting\n/);
  });

  it('gives programs everything', async () => {
    const { out } = await planned(WEB, '-o json');
    expect(JSON.parse(out)).toMatchObject({
      objects: [{ kind: 'Service', name: 'web', result: 'created', changes: [] }],
      steps: [{ afterMs: 0, moves: [{ task: 'web.1', action: 'create', to: 'n1' }, {}, {}] }],
      services: [{ service: 'web', unplacedAfter: [{ count: 2, nodes: [{}, {}] }] }],
      settled: true,
    });
    expect((await planned(WEB, '-o yaml')).out).toContain('settled: true\n');
  });
});

describe('describe', () => {
  it('says what every node says to tasks that wait, by filter', async () => {
    const spec = aService({ constraints: ['node.labels.disk == nvme'] });
    await ctl.api.put(puts.service(ctl.api.keys, spec));
    const counts = [{ filter: 'constraints', nodes: 2, message: 'constraint x' }];
    const pending = { message: '0/2 nodes: 2 constraint x', filters: counts, since: SINCE };
    const { task } = aTask({ pending });
    await ctl.api.put(
      puts.serviceRevision(ctl.api.keys, aRevision(spec)),
      puts.task(ctl.api.keys, task),
    );
    const expected = [
      'Why pending:',
      '  web.1, for 5m:',
      '    0/2 nodes: 2 constraint x',
      '      2 nodes: constraint x (constraints)',
      '      NODE      FILTER        ANSWER',
      '      host-n1   constraints   constraint node.labels.disk == nvme, it is "ssd"',
      '      host-n2   constraints   constraint node.labels.disk == nvme, it has none',
      '',
    ].join('\n');
    expect((await ctl.run('describe service web')).out).toContain(expected);
    expect((await ctl.run('describe task web.1')).out).toContain(expected);
  });
});

const SINCE = '2026-01-01T00:00:00.000Z';
