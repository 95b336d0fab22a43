/** docs/swarm-semantics.md and the tests that are named after its rows say the same. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['api', 'pkg', 'controllers', 'cmd', 'test'];

const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

function testsUnder(folder: string): readonly string[] {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.test.ts')).map((file) => join(folder, file));
}

/** The first cells of all rows. */
function rowsOf(document: string): readonly string[] {
  const rows = document.matchAll(/^\| (\d+\.\d+(?:\.\d+)?|\d+|S\d+) +\|/gm);
  return [...rows].map(([, id = '']) => (/^\d+$/.test(id) ? `scenario ${id}` : id));
}

/** The rules, scenarios and mistakes that the names of tests in a file begin with or mention. */
function namesIn(source: string): readonly string[] {
  const titles = [...source.matchAll(/\(\s*(['"`])(.+?)\1/g)].map(([, , title = '']) => title);
  return titles.flatMap((title) => [
    ...rulesIn(title),
    ...scenariosIn(title),
    ...mistakesIn(title),
  ]);
}

const rulesIn = (title: string): readonly string[] =>
  /^(\d+\.\d+(\.\d+)?(, )?)+(?= [%a-z])/i.exec(title)?.[0].split(', ') ?? [];

function scenariosIn(title: string): readonly string[] {
  const lists = title.matchAll(/\bscenarios? (\d+(?:, \d+)*)/g);
  return [...lists].flatMap(([, list = '']) => list.split(', ').map((each) => `scenario ${each}`));
}

const mistakesIn = (title: string): readonly string[] =>
  [...title.matchAll(/(?<=[( ])S\d+(?=[,;)])/g)].map(([id]) => id);

const listed = rowsOf(textOf('docs/swarm-semantics.md'));
const named = new Set(FOLDERS.flatMap(testsUnder).flatMap((path) => namesIn(textOf(path))));

it('every rule, scenario and mistake of Swarm mode has a test that is named after it', () => {
  expect(listed.length).toBeGreaterThan(100);
  expect(listed.filter((id) => !named.has(id))).toEqual([]);
});

it('no test is named after one that is not written down', () => {
  expect([...named].filter((id) => !listed.includes(id))).toEqual([]);
});
