import { describe, expect, it } from 'vitest';
import { UsageError } from '../exit-code.js';
import { parseTemplate } from './go-template.js';

const row = { Name: 'web', spec: { image: 'a:1', tags: ['x', 'y'] } };

describe('parseTemplate', () => {
  it.each([
    ['{{.Name}}', 'web'],
    ['{{ .name }}: {{.Spec.Image}}', 'web: a:1'],
    ['{{json .spec.tags}}', '["x","y"]'],
    ['{{.Name | upper}}', 'WEB'],
    ['{{len .spec.tags}}', '2'],
    ['{{.Name}}\\t{{.Name}}', 'web\tweb'],
    ['{{json .}}', JSON.stringify(row)],
    ['plain', 'plain'],
    ['{{.spec.nothing}}', '<no value>'],
  ])('%s', (text, expected) => {
    expect(parseTemplate(text)(row)).toBe(expected);
  });

  it.each(['{{.Name', '{{range .x}}', '{{odd .Name}}', '{{}}'])('refuses %s', (text) => {
    expect(() => parseTemplate(text)).toThrow(UsageError);
  });

  it('names the fields when one is unknown', () => {
    expect(() => parseTemplate('{{.Nam}}')(row)).toThrow(/known: Name, spec/);
  });
});
