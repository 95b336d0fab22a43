import { describe, expect, it } from 'vitest';
import { parseManifest, segmentsOf } from './manifest.js';
import { toYaml } from './write.js';

const TEXT = `# two services
apiVersion: swarm/v1
kind: Service
metadata:
  name: web
spec:
  task:
    container:
      image: nginx
      mounts:
        - target: /a
        - target: /b
          readOnly: yes please
---
---
kind: Service
metadata: { name: api }
`;

describe('parseManifest', () => {
  it('reads every document and skips empty ones', () => {
    const { objects, problems } = parseManifest('web.yaml', TEXT);
    expect(problems).toEqual([]);
    expect(
      objects.map(({ value }) => (value as { metadata: { name: string } }).metadata.name),
    ).toEqual(['web', 'api']);
  });

  it.each([
    ['spec.task.container.image', 9, 7],
    ['spec.task.container.mounts[1].readOnly', 13, 11],
    ['spec.task.container.mounts[0]', 11, 11],
    ['', 2, 1],
  ])('knows where %s is', (path, line, column) => {
    const [web] = parseManifest('web.yaml', TEXT).objects;
    expect(web?.positionOf(path)).toEqual({ line, column });
  });

  it('points at the nearest parent of a missing field', () => {
    const [web] = parseManifest('web.yaml', TEXT).objects;
    expect(web?.positionOf('spec.task.resources.limits')).toEqual({ line: 7, column: 3 });
    expect(web?.positionOf('status')).toEqual({ line: 2, column: 1 });
  });

  it('counts lines of the file, not of the document', () => {
    const [, api] = parseManifest('web.yaml', TEXT).objects;
    expect(api?.positionOf('metadata.name')).toEqual({ line: 17, column: 13 });
  });

  it('tells where YAML is broken, in one line', () => {
    const { problems } = parseManifest('bad.yaml', 'a: 1\nb: [1, 2\nc: 3\n');
    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]).toMatchObject({ file: 'bad.yaml', path: '' });
    expect(problems[0]?.position.line).toBeGreaterThanOrEqual(2);
    expect(problems[0]?.message).not.toContain('\n');
  });

  it('refuses a key given twice', () => {
    expect(parseManifest('twice.yaml', 'a: 1\na: 2\n').problems[0]?.message).toMatch(/unique/);
  });

  it('takes a List for its items', () => {
    const { objects } = parseManifest(
      'list.json',
      '{"kind":"List","items":[{"kind":"A"},\n{"kind":"B"}]}',
    );
    expect(objects.map(({ value }) => value)).toEqual([{ kind: 'A' }, { kind: 'B' }]);
    expect(objects[1]?.positionOf('kind')).toEqual({ line: 2, column: 2 });
  });

  it('stops a billion laughs', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (const [from, to] of ['ab', 'bc', 'cd', 'de'].map((pair) => [pair[0], pair[1]])) {
      bomb.push(
        `${String(to)}: &${String(to)} [${Array(10)
          .fill(`*${String(from)}`)
          .join(',')}]`,
      );
    }
    expect(parseManifest('bomb.yaml', bomb.join('\n')).problems[0]?.message).toMatch(/alias/i);
  });
});

describe('segmentsOf', () => {
  it('reads what field paths are made of', () => {
    expect(segmentsOf('a.b[10]["odd \\"key\\".x"].c')).toEqual(['a', 'b', 10, 'odd "key".x', 'c']);
  });
});

describe('toYaml', () => {
  it('is read back the same', () => {
    const value = { a: [1, { b: 'text: with colon' }], c: {}, d: 'x '.repeat(100) };
    expect(parseManifest('x', toYaml(value)).objects[0]?.value).toEqual(value);
  });
});
