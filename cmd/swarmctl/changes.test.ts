import { chmod, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnavailableError } from '../../pkg/base/index.js';
import { puts } from '../../pkg/objects/index.js';
import { aNode, aService } from '../../test/builders/objects.js';
import { SwarmctlFixture } from '../../test/fixtures/swarmctl.js';

let ctl: SwarmctlFixture;
beforeEach(async () => {
  ctl = await SwarmctlFixture.start();
});
afterEach(() => ctl.dispose());

const WEB = `apiVersion: swarm/v1
kind: Service
metadata:
  name: web
  labels: { app: shop }
spec:
  mode: { replicated: { replicas: 3 } }
  task:
    container:
      image: app:1
`;
const named = (name: string, text = WEB) => text.replace('name: web', `name: ${name}`);

const apply = (stdin = WEB) => ctl.run('apply -f -', { stdin });
const serviceOf = (name = 'web') => ctl.api.world.services.get(name);
const templateOf = (name = 'web') => serviceOf(name)?.spec.task;
const labelsOf = (name = 'web') => serviceOf(name)?.metadata.labels;

describe('apply', () => {
  it('leaves to others what the file does not name', async () => {
    await apply();
    await ctl.run('scale web=5');
    await ctl.run('set image service/web app:2');
    await ctl.run('label service/web team=red');
    const rest = WEB.replace(/ {2}mode.*\n/, '').replace('      image: app:1', '      tty: true');
    expect((await apply(rest)).out).toBe('service/web configured\n');
    expect(serviceOf()).toMatchObject({
      metadata: { labels: { app: 'shop', team: 'red' } },
      spec: {
        mode: { replicated: { replicas: 5 } },
        task: { container: { image: 'app:2', tty: true } },
      },
    });
  });

  it('says in a dry run which fields would change, and how', async () => {
    await apply();
    await ctl.run('set env service/web A=1');
    const other = WEB.replace('app:1', 'app:2').replace(
      'labels: { app: shop }',
      'labels: { a: b }',
    );
    const { out } = await ctl.run('apply -f - --dry-run', { stdin: other });
    expect(out).toBe(
      [
        'service/web configured (dry run)',
        '  - metadata.labels.app: shop',
        '  + metadata.labels.a: b',
        '    spec.task.container.image: app:1 -> app:2',
        '',
      ].join('\n'),
    );
    expect(templateOf()?.container.image).toBe('app:1');
  });

  it('prints the objects when that is wanted, as they are or would be', async () => {
    const stdin = `${WEB}---\n${named('api')}`;
    const { out } = await ctl.run('apply -f - --dry-run -o json', { stdin });
    expect(JSON.parse(out)).toMatchObject({
      kind: 'List',
      items: [{ metadata: { name: 'web' } }, { metadata: { name: 'api' } }],
    });
    expect((await ctl.run('apply -f - -o name', { stdin })).out).toBe('service/web\nservice/api\n');
    const yaml = await ctl.run('apply -f - -o yaml', { stdin: WEB });
    expect(yaml.out).toMatch(/^apiVersion: swarm\/v1\nkind: Service\n/);
  });

  it('keeps why', async () => {
    await ctl.run(['apply', '-f', '-', '-m', 'fixes the login'], { stdin: WEB });
    expect(serviceOf()?.metadata.annotations).toEqual({ 'swarm/change-cause': 'fixes the login' });
    expect((await ctl.run('describe service web')).out).toContain('fixes the login');
  });

  it('shows which fields are its own', async () => {
    await apply();
    await ctl.run('scale web=5');
    const { out } = await ctl.run('get service web -o json --show-applied');
    expect(JSON.parse(out).applied).toEqual({
      labels: { app: 'shop' },
      spec: { task: { container: { image: 'app:1' } } },
    });
    expect((await ctl.run('get services -o yaml --show-applied')).out).toContain('applied:');
    expect((await ctl.run('get service web -o yaml')).out).not.toContain('applied:');
    expect(await ctl.run('get services --show-applied')).toMatchObject({ code: 2 });
  });
});

describe('apply --prune', () => {
  beforeEach(async () => {
    await apply(`${WEB}---\n${named('api')}---\n${named('other', WEB.replace('shop', 'blog'))}`);
    await ctl.run('service create -d --name by-hand --label app=shop app:1');
  });

  it('deletes what was applied, is chosen and is declared no more', async () => {
    const dry = await ctl.run('apply -f - --prune -l app=shop --dry-run', { stdin: WEB });
    expect(dry.out).toBe('service/web unchanged (dry run)\nservice/api pruned (dry run)\n');
    expect(serviceOf('api')?.metadata.deletingAt).toBeUndefined();
    const { out } = await ctl.run('apply -f - --prune -l app=shop', { stdin: WEB });
    expect(out).toBe('service/web unchanged\nservice/api pruned\n');
    expect(serviceOf('api')?.metadata.deletingAt).toBeDefined();
    for (const name of ['web', 'other', 'by-hand']) {
      expect(serviceOf(name)?.metadata.deletingAt).toBeUndefined();
    }
    const again = await ctl.run('apply -f - --prune -l app=shop', { stdin: WEB });
    expect(again.out).toBe('service/web unchanged\n');
  });

  it('takes all only when it is told so', async () => {
    const { out } = await ctl.run('apply -f - --prune --all', { stdin: WEB });
    expect(out.split('\n').sort()).toEqual([
      '',
      'service/api pruned',
      'service/other pruned',
      'service/web unchanged',
    ]);
    for (const line of [
      'apply -f - --prune',
      'apply -f - --prune --all -l a=b',
      'apply -f - --all',
      'apply -f - -l =b',
    ]) {
      expect(await ctl.run(line, { stdin: WEB })).toMatchObject({ code: 2, out: '' });
    }
  });

  it('deletes nothing while a file has a problem', async () => {
    const broken = WEB.replace('image', 'imagee');
    expect(await ctl.run('apply -f - --prune --all', { stdin: broken })).toMatchObject({ code: 1 });
    expect(serviceOf('api')?.metadata.deletingAt).toBeUndefined();
  });

  it('never takes what a file declares, even if the selector does not fit it any more', async () => {
    const moved = WEB.replace('app: shop', 'app: blog');
    const { out, err } = await ctl.run('apply -f - --prune -l app=shop', { stdin: moved });
    expect(out).toBe('service/api pruned\n');
    expect(err).toBe('service/web skipped: its labels are not app=shop\n');
    expect(serviceOf('web')?.metadata.deletingAt).toBeUndefined();
  });
});

describe('replace', () => {
  it('is whole', async () => {
    await apply();
    await ctl.run('label service/web team=red');
    const file = await ctl.file('web.yaml', WEB.replace(/ {2}mode.*\n/, ''));
    expect(await ctl.run(['replace', '-f', file])).toEqual({
      code: 0,
      out: 'service/web replaced\n',
      err: '',
    });
    expect(labelsOf()).toEqual({ app: 'shop' });
    expect(serviceOf()?.spec.mode?.replicated?.replicas).toBe(1);
  });

  it('creates nothing', async () => {
    const { code, err } = await ctl.run('replace -f -', { stdin: WEB });
    expect(code).toBe(1);
    expect(err).toContain('stdin:1:1: service/web: there is no service web');
  });

  it('replaces by force what cannot be changed', async () => {
    await apply();
    const global = WEB.replace('replicated: { replicas: 3 }', 'global: {}');
    expect((await ctl.run('replace -f -', { stdin: global })).err).toContain('spec.mode: ');
    const before = serviceOf()?.metadata.uid;
    const forced = ctl.run('replace --force -f -', { stdin: global });
    const key = ctl.api.keys.service('web');
    await expect.poll(() => serviceOf()?.metadata.deletingAt).toBeDefined();
    await ctl.api.put({ kind: 'delete', key });
    expect(await forced).toEqual({ code: 0, out: 'service/web replaced\n', err: '' });
    expect(serviceOf()?.spec.mode).toEqual({ global: {} });
    expect(serviceOf()?.metadata.uid).not.toBe(before);
  });
});

describe('diff', () => {
  const diff = (stdin: string, ...more: readonly string[]) =>
    ctl.run(['diff', '-f', '-', ...more], { stdin });

  it('exits with 0 and says nothing when nothing differs', async () => {
    await apply();
    expect(await diff(WEB)).toEqual({ code: 0, out: '', err: '' });
  });

  it('shows what an apply would change, and exits with 1', async () => {
    await apply();
    await ctl.run('scale web=5');
    const other = WEB.replace('app:1', 'app:2').replace(/ {2}mode.*\n/, '');
    expect(await diff(other)).toMatchObject({ code: 1, err: '' });
    expect((await diff(other)).out).toMatchInlineSnapshot(`
      "--- service/web (live)
      +++ service/web (stdin)
      @@ -10,4 +10,4 @@
             replicas: 5
         task:
           container:
      -      image: app:1
      +      image: app:2
      "
    `);
    expect(templateOf()?.container.image).toBe('app:1');
  });

  it('shows what would be created and deleted', async () => {
    await apply();
    const { out, code } = await diff(named('api'), '--prune', '-l', 'app=shop');
    expect(code).toBe(1);
    expect(out).toMatch(/^--- \/dev\/null\n\+\+\+ service\/api \(stdin\)\n@@ -0,0 \+1,\d+ @@\n/m);
    expect(out).toMatch(/^--- service\/web \(live\)\n\+\+\+ \/dev\/null\n@@ -1,\d+ \+0,0 @@\n/m);
  });

  it('is coloured on a terminal', async () => {
    await apply();
    const stdin = WEB.replace('app:1', 'app:2');
    const { out } = await ctl.run('diff -f -', { stdin, isTerminal: true });
    expect(out).toContain('\u001b[31m-      image: app:1\u001b[0m\n');
    expect(out).toContain('\u001b[32m+      image: app:2\u001b[0m\n');
    const plain = await ctl.run('diff -f -', { stdin, isTerminal: true, env: { NO_COLOR: '1' } });
    expect(plain.out).not.toContain('\u001b');
  });

  it('exits with 2 when it cannot be told', async () => {
    const problem = await diff(WEB.replace('image', 'imagee'));
    expect(problem).toMatchObject({ code: 2, out: '' });
    expect(problem.err).toMatch(/^stdin:\d+:\d+: spec\.task\.container\.imagee: unknown field/m);
    expect(await ctl.run('diff')).toMatchObject({ code: 2 });
    const connect = () => Promise.reject(new UnavailableError('cannot reach any manager'));
    const away = await ctl.run('diff -f -', { stdin: WEB, connect });
    expect(away).toEqual({ code: 2, out: '', err: 'error: cannot reach any manager\n' });
  });
});

describe('patch', () => {
  beforeEach(() => apply());

  it('merges, in JSON and in YAML', async () => {
    const patch =
      '{"spec":{"mode":{"replicated":{"replicas":7}}},"metadata":{"labels":{"app":null}}}';
    expect(await ctl.run(['patch', 'service', 'web', '-p', patch])).toEqual({
      code: 0,
      out: 'service/web patched\n',
      err: '',
    });
    expect(serviceOf()?.spec.mode?.replicated?.replicas).toBe(7);
    expect(labelsOf()).toEqual({});
    const file = await ctl.file('patch.yaml', 'metadata: { labels: { tier: front } }\n');
    expect((await ctl.run(['patch', 'svc/web', '--patch-file', file, '-o', 'name'])).out).toBe(
      'service/web\n',
    );
    expect(labelsOf()).toEqual({ tier: 'front' });
    const same = await ctl.run('patch service web --patch-file -', { stdin: 'metadata: {}' });
    expect(same.out).toBe('service/web patched (no change)\n');
  });

  it('takes steps', async () => {
    const step = (op: string, path: string, value?: unknown) => ({ op, path, value });
    const steps = JSON.stringify([
      step('test', '/spec/task/container/image', 'app:1'),
      step('add', '/spec/task/container/args', ['-v']),
    ]);
    const line = ['patch', 'service', 'web', '--type', 'json', '-p', steps];
    expect((await ctl.run([...line, '--dry-run'])).out).toBe('service/web patched (dry run)\n');
    expect(templateOf()?.container.args).toBeUndefined();
    await ctl.run(line);
    expect(templateOf()?.container.args).toEqual(['-v']);
    await ctl.run('set image service/web app:2');
    const { code, err } = await ctl.run(line);
    expect(code).toBe(1);
    expect(err).toContain('patch[0]: /spec/task/container/image is "app:2", not "app:1"');
  });

  it.each([
    [['service', 'web', '-p', '[]'], 'Is it a JSON patch? Add --type json.'],
    [['service', 'web', '-p', '{}', '--type', 'json'], 'a JSON patch is a list of steps'],
    [['service', 'web', '-p', '{a: [}'], 'the patch cannot be read'],
    [['service', 'web', '-p', '{}', '--type', 'strategic'], 'expected merge or json'],
    [['service', 'web'], 'give either -p PATCH or --patch-file FILE'],
    [['service', '-p', '{}'], 'name an object, such as service/web'],
    [['task', 'web.1', '-p', '{}'], 'tasks are made by the cluster; they cannot be changed'],
  ])('refuses %j', async (args, message) => {
    const { code, err } = await ctl.run(['patch', ...args]);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('suggests a name, and tells problems by their paths', async () => {
    expect((await ctl.run(['patch', 'service', 'wep', '-p', '{}'])).err).toContain(
      'did you mean web?',
    );
    const { code, err } = await ctl.run(['patch', 'service', 'web', '-p', '{"spec":{"tsk":1}}']);
    expect(code).toBe(1);
    expect(err).toContain('  spec.tsk: unknown field; did you mean task?');
  });
});

describe('label and annotate', () => {
  beforeEach(() => apply());

  it('set and remove, and overwrite only when told', async () => {
    expect(await ctl.run('label service web tier=front empty= app-')).toEqual({
      code: 0,
      out: 'service/web labeled\n',
      err: '',
    });
    expect(labelsOf()).toEqual({ tier: 'front', empty: '' });
    expect((await ctl.run('label service/web tier=front nothing-')).out).toBe(
      'service/web not labeled\n',
    );
    expect(await ctl.run('label service/web tier=back')).toEqual({
      code: 1,
      out: '',
      err: 'error: service/web has label tier=front already; --overwrite makes it back\n',
    });
    expect((await ctl.run('label service/web tier=back --overwrite --list')).out).toBe(
      'service/web labeled\n  empty=\n  tier=back\n',
    );
    expect((await ctl.run('label service/web tier- empty-')).out).toBe('service/web unlabeled\n');
    expect(labelsOf()).toEqual({});
    expect((await ctl.run('annotate service/web owner=red --dry-run')).out).toBe(
      'service/web annotated (dry run)\n',
    );
    await ctl.run(['annotate', 'service/web', 'owner=the red=team']);
    expect(serviceOf()?.metadata.annotations).toEqual({ owner: 'the red=team' });
  });

  it('make no new generation', async () => {
    await ctl.run('label service/web tier=front');
    expect(serviceOf()?.metadata.generation).toBe(1);
  });

  it('find their objects by label, by host name, or all of them', async () => {
    await apply(named('api', WEB.replace('shop', 'blog')));
    expect((await ctl.run('label services -l app=shop team=red')).out).toBe(
      'service/web labeled\n',
    );
    expect((await ctl.run('label services --all team=blue --overwrite')).out).toBe(
      'service/api labeled\nservice/web labeled\n',
    );
    await ctl.api.put(puts.node(ctl.api.keys, aNode('n1')));
    expect((await ctl.run('label node host-n1 disk=ssd')).out).toBe('node/host-n1 labeled\n');
    expect(ctl.api.world.nodes.get('n1')?.metadata.labels).toEqual({ disk: 'ssd' });
  });

  it('lose no race', async () => {
    const lines = ['a=1', 'b=2', 'c=3'].map((label) => ctl.run(`label service/web ${label}`));
    expect((await Promise.all(lines)).map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(labelsOf()).toEqual({ app: 'shop', a: '1', b: '2', c: '3' });
  });

  it.each([
    ['label service web', 'name a label to set or to remove'],
    ['label service a=b', 'give names, or -l SELECTOR, or --all: one of them'],
    ['label service web a=b a-', 'label a is given twice'],
    ['label task web.1 a=b', 'they cannot be changed'],
  ])('%s is refused', async (line, message) => {
    const { code, err } = await ctl.run(line);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

describe('set', () => {
  beforeEach(() => apply(`${WEB}---\n${named('api')}`));

  it('changes the image of one or several services', async () => {
    expect((await ctl.run('set image service/web app:2')).out).toBe('service/web image updated\n');
    expect((await ctl.run('set image service web app:2')).out).toBe('service/web unchanged\n');
    expect((await ctl.run('set image service/web service/api web=app:3')).out).toBe(
      'service/web image updated\nservice/api image updated\n',
    );
    expect((await ctl.run('set image services -l app=shop localhost:5000/app:4')).out).toBe(
      'service/api image updated\nservice/web image updated\n',
    );
    expect(templateOf('api')?.container.image).toBe('localhost:5000/app:4');
  });

  it('sets and removes variables', async () => {
    const file = await ctl.file('web.env', '# of the web\nC=from file\n');
    const line = ['set', 'env', 'service/web', 'A=1', 'B=x=y', '--env-file', file];
    expect((await ctl.run(line)).out).toBe('service/web env updated\n');
    expect(templateOf()?.container.env).toEqual({ A: '1', B: 'x=y', C: 'from file' });
    await ctl.run('set env service web A- B=2');
    expect((await ctl.run('set env service/web --list')).out).toBe(
      '# service/web\nB=2\nC=from file\n',
    );
  });

  it('sets and removes limits and reservations', async () => {
    await ctl.run(
      'set resources service/web --limits cpus=0.5,memory=64m,pids=9 --requests cpu=0.1',
    );
    expect(templateOf()?.resources).toEqual({
      limits: { cpus: 0.5, memory: '64Mi', pids: 9 },
      reservations: { cpus: 0.1 },
    });
    await ctl.run('set resources service/web --limits memory-,cpus=');
    expect(templateOf()?.resources?.limits).toEqual({ pids: 9 });
  });

  it('keeps why', async () => {
    await ctl.run(['set', 'image', 'service/web', 'app:2', '-m', 'release 2']);
    expect(serviceOf()?.metadata.annotations).toEqual({ 'swarm/change-cause': 'release 2' });
  });

  it.each([
    ['set image app:2', 'name services and an image'],
    ['set image node/n1 app:2', 'a node has no template of tasks'],
    ['set env service/web', 'name a variable to set or to remove'],
    ['set env service/web A=1 A-', 'A is both set and removed'],
    ['set env service/web A=1 odd', '"odd" is neither NAME=VALUE nor NAME-'],
    ['set env service/web A=1 --list', '--list changes nothing'],
    ['set resources service/web', 'nothing to set'],
    ['set resources service/web --limits disk=1', 'with one of cpus, memory, pids'],
    ['set resources service/web --reservations pids=1', 'with one of cpus, memory'],
    ['set resources service/web --limits memory=much', "invalid size: 'much'"],
  ])('%s is refused', async (line, message) => {
    const { code, err } = await ctl.run(line);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

describe('edit', () => {
  beforeEach(async () => {
    vi.stubEnv('TMPDIR', ctl.folder);
    await apply();
  });
  afterEach(() => vi.unstubAllEnvs());

  /** An editor: a shell script with the file as $1. Counts how often it was called in $COUNT. */
  async function editor(script: string): Promise<{ readonly EDITOR: string }> {
    const path = await ctl.file('editor.sh', `#!/bin/sh\nset -e\n${script}\n`);
    await chmod(path, 0o755);
    return { EDITOR: path };
  }
  const editWeb = async (script: string, ...more: readonly string[]) =>
    ctl.run(['edit', 'service', 'web', ...more], { env: await editor(script) });
  const leftovers = async () =>
    (await readdir(ctl.folder)).filter((name) => name.startsWith('swarmctl-edit-'));

  it('writes what was changed', async () => {
    const before = await leftovers();
    expect(await editWeb(`sed -i 's/app:1/app:2/' "$1"`, '-m', 'release 2')).toEqual({
      code: 0,
      out: 'service/web edited\n',
      err: '',
    });
    expect(templateOf()?.container.image).toBe('app:2');
    expect(serviceOf()?.metadata.annotations).toEqual({ 'swarm/change-cause': 'release 2' });
    expect(await leftovers()).toEqual(before);
  });

  it('removes what was taken out or emptied', async () => {
    await editWeb(`sed -i '/app: shop/d; s/replicas: 3/replicas:/' "$1"`);
    expect(labelsOf()).toEqual({});
    expect(serviceOf()?.spec.mode?.replicated?.replicas).toBe(1);
  });

  it('takes JSON, when that is preferred', async () => {
    const { code } = await editWeb(`sed -i 's/app:1/app:2/' "$1"`, '-o', 'json');
    expect(code).toBe(0);
    expect(templateOf()?.container.image).toBe('app:2');
  });

  it.each([
    ['is left as it was', ':'],
    ['is emptied', ': > "$1"'],
    ['is only commented', `echo '# a comment of mine' >> "$1"`],
  ])('changes nothing when the text %s', async (_what, script) => {
    const { version } = serviceOf()!.metadata;
    const before = await leftovers();
    expect(await editWeb(script)).toEqual({ code: 0, out: '', err: 'nothing was changed\n' });
    expect(serviceOf()!.metadata.version).toBe(version);
    expect(await leftovers()).toEqual(before);
  });

  it('opens it again with what is wrong, as often as needed', async () => {
    const log = join(ctl.folder, 'seen');
    const { code, out } = await editWeb(`cat "$1" >> ${log}
if grep -q 'replicas: 3' "$1"; then sed -i 's/replicas: 3/replicas: many/' "$1"
elif grep -q 'replicas: many' "$1"; then sed -i 's/replicas: many/replicas: [/' "$1"
else sed -i 's/replicas: \\[/replicas: 4/' "$1"; fi`);
    expect({ code, out }).toEqual({ code: 0, out: 'service/web edited\n' });
    expect(serviceOf()?.spec.mode?.replicated?.replicas).toBe(4);
    const seen = await readFile(log, 'utf8');
    expect(seen).toContain(
      '## spec.mode.replicated.replicas: found "many", expected a whole number from 0 to 100000\n',
    );
    expect(seen).toMatch(/^## .*at line \d+/m);
    const lineNumber = Number(/^## .*at line (\d+)/m.exec(seen)?.[1]);
    const last = seen.slice(seen.lastIndexOf('## Save this file'));
    // The end of the flow collection is missed one line below where it was opened.
    expect(
      last
        .split('\n')
        .slice(lineNumber - 3, lineNumber)
        .join('\n'),
    ).toContain('replicas: [');
  });

  it('keeps what was written when the person gives up', async () => {
    const { code, err } = await editWeb(`sed -i 's/replicas: 3/replicas: many/' "$1"`);
    expect(code).toBe(1);
    expect(err).toContain(
      'error: nothing was changed: spec.mode.replicated.replicas: found "many"',
    );
    const [, path = ''] = /kept in (\S+)/.exec(err) ?? [];
    expect(await readFile(path, 'utf8')).toContain('replicas: many');
  });

  it('ends with a program for an editor that changes also our comments', async () => {
    const { code, err } = await editWeb(`sed -i 's/replicas: .*/replicas: x/' "$1"`);
    expect(code).toBe(1);
    expect(err).toContain('nothing was changed: spec.mode.replicated.replicas: found "x"');
  });

  it('keeps what was written when no manager answers', async () => {
    const connect = async () => {
      const client = await ctl.api.client();
      const patch = () => Promise.reject(new UnavailableError('cannot reach any manager'));
      return Object.assign(client, { patch });
    };
    const env = await editor(`sed -i 's/app:1/app:2/' "$1"`);
    const { code, err } = await ctl.run('edit service web', { env, connect });
    expect(code).toBe(4);
    const [, path = ''] = /kept in (\S+)/.exec(err) ?? [];
    expect(await readFile(path, 'utf8')).toContain('app:2');
  });

  it('keeps what others change meanwhile', async () => {
    const connect = async () => {
      const client = await ctl.api.client();
      const get = client.get.bind(client);
      let isFirst = true;
      const raced: typeof client.get = async (...args) => {
        const object = await get(...args);
        if (isFirst) await ctl.run('scale web=9');
        isFirst = false;
        return object;
      };
      return Object.assign(client, { get: raced });
    };
    const env = await editor(`sed -i 's/app:1/app:2/' "$1"`);
    expect(await ctl.run('edit service web', { env, connect })).toMatchObject({ code: 0 });
    expect(serviceOf()?.spec).toMatchObject({
      mode: { replicated: { replicas: 9 } },
      task: { container: { image: 'app:2' } },
    });
  });

  it('shows what others changed in the same place, and lets the person decide', async () => {
    const connect = async () => {
      const client = await ctl.api.client();
      const get = client.get.bind(client);
      let isFirst = true;
      const raced: typeof client.get = async (...args) => {
        const object = await get(...args);
        if (isFirst) await ctl.run('scale web=9');
        isFirst = false;
        return object;
      };
      return Object.assign(client, { get: raced });
    };
    const log = join(ctl.folder, 'seen');
    const env = await editor(
      `cat "$1" >> ${log}; sed -i 's/replicas: 5/replicas: 6/; s/replicas: 3/replicas: 5/' "$1"`,
    );
    expect(await ctl.run('edit service web', { env, connect })).toMatchObject({ code: 0 });
    expect(await readFile(log, 'utf8')).toContain('##   spec.mode.replicated.replicas: 9\n');
    expect(serviceOf()?.spec.mode?.replicated?.replicas).toBe(6);
  });

  it('says when there is no editor', async () => {
    const { code, err } = await ctl.run('edit service web', { env: { EDITOR: '/nonexistent' } });
    expect(code).toBe(1);
    expect(err).toContain('set EDITOR to another one');
  });

  it('edits nodes, too', async () => {
    await ctl.api.put(puts.node(ctl.api.keys, aNode('n1')));
    const env = await editor(`sed -i 's/active/drain/' "$1"`);
    expect((await ctl.run('edit node host-n1', { env })).out).toBe('node/host-n1 edited\n');
    expect(ctl.api.world.nodes.get('n1')?.spec.availability).toBe('drain');
  });
});

it('says of a service that it is in no document', async () => {
  await ctl.api.put(puts.service(ctl.api.keys, aService()));
  expect((await ctl.run('get service web -o yaml --show-applied')).out).not.toContain('applied');
});
