import { describe, expect, it } from 'vitest';
import { UsageError } from '../../exit-code.js';
import { parseTemplate } from './go-template.js';

const row = {
  Name: 'web',
  Empty: '',
  Count: 3,
  Nothing: undefined,
  Labels: { tier: 'front', 'com.example.team': 'red' },
  Label: (name: unknown) => `label ${String(name)}`,
  spec: { image: 'a:1', tags: ['x', 'y'], ports: [{ target: 80 }, { target: 443 }] },
};

describe('parseTemplate', () => {
  it.each([
    ['plain', 'plain'],
    ['{{.Name}}', 'web'],
    ['{{ .name }}: {{.Spec.Image}}', 'web: a:1'],
    ['{{.Name}}\\t{{.Name}}', 'web\tweb'],
    ['{{.spec.nothing}}', '<no value>'],
    ['{{.Nothing}}', '<no value>'],
    ['{{json .spec.tags}}', '["x","y"]'],
    ['{{json .Nothing}}', 'null'],
    ['{{.spec.tags}} {{.Labels}}', '[x y] map[com.example.team:red tier:front]'],
    ['{{.Label "a b"}}', 'label a b'],
    // functions, nested and through pipes
    ['{{.Name | upper}}', 'WEB'],
    ['{{upper (printf "%s-%d" .Name .Count)}}', 'WEB-3'],
    ['{{.Name | printf "%s/%s" "a"}}', 'a/web'],
    ['{{join .spec.tags ", "}}', 'x, y'],
    ['{{.spec.tags | join "+"}}', 'x+y'],
    ['{{split "a,b" "," | json}}', '["a","b"]'],
    ['{{title "hello world"}}', 'Hello World'],
    ['{{truncate .Name 2}}|{{pad .Name 1 2}}|', 'we| web  |'],
    ['{{index .Labels "com.example.team"}}', 'red'],
    ['[{{index .Labels "none"}}]', '[]'],
    ['{{index .spec.tags 1}} {{(index .spec.ports 1).target}}', 'y 443'],
    ['{{len .spec.tags}} {{len .Name}} {{len .Labels}}', '2 3 2'],
    ['{{slice .Name 1}} {{slice .Name 0 2}}', 'eb we'],
    ['{{print .Count 4 "a" 5}}', '3 4a5'],
    ['{{println .Name}}', 'web\n'],
    ['{{urlquery "a b&c"}}', 'a%20b%26c'],
    [
      '{{printf "%-5s|%5.1f|%q|%03d|%t|%x|%%" .Name 1.25 "a" 7 true 255}}',
      'web  |  1.3|"a"|007|true|ff|%',
    ],
    ['{{printf "%s %s" .Name}}', 'web %!s(MISSING)'],
    // conditions
    ['{{if .Name}}yes{{else}}no{{end}}', 'yes'],
    ['{{if .Empty}}yes{{else}}no{{end}}', 'no'],
    ['{{if eq .Name "api" "web"}}one{{else if .Count}}two{{end}}', 'one'],
    ['{{if ne .Name "web"}}one{{else if gt .Count 2}}two{{else}}three{{end}}', 'two'],
    ['{{if and .Name (not .Empty) (lt .Count 4) (ge .Count 3) (le .Count 3)}}all{{end}}', 'all'],
    ['{{or .Empty .Name "else"}} {{and .Name .Count}}', 'web 3'],
    ['{{with .spec}}{{.image}} of {{$.Name}}{{end}}', 'a:1 of web'],
    ['{{with .Empty}}a{{else with .Name}}{{.}}{{else}}b{{end}}', 'web'],
    ['{{with $x := .spec.tags}}{{len $x}}{{end}}', '2'],
    // loops and variables
    ['{{range .spec.tags}}{{.}};{{end}}', 'x;y;'],
    ['{{range $i, $t := .spec.tags}}{{$i}}={{$t}} {{end}}', '0=x 1=y '],
    ['{{range $k, $v := .Labels}}{{$k}}:{{$v}} {{end}}', 'com.example.team:red tier:front '],
    ['{{range .spec.ports}}{{.target}},{{end}}', '80,443,'],
    ['{{range .Nothing}}a{{else}}none{{end}}', 'none'],
    ['{{range $i, $t := .spec.tags}}{{if $i}},{{end}}{{$t}}{{end}}', 'x,y'],
    ['{{range .spec.tags}}{{if eq . "x"}}{{continue}}{{end}}{{.}}{{end}}', 'y'],
    ['{{range .spec.tags}}{{.}}{{break}}{{end}}', 'x'],
    ['{{$n := .Name}}{{range .spec.tags}}{{$n}}{{$n = .}}{{end}}{{$n}}', 'webxy'],
    // white space, comments, literals
    ['a {{- .Name -}} b', 'awebb'],
    ['{{/* not shown */}}a', 'a'],
    ['{{"a}}b"}}{{`c\\d`}}{{true}}{{1.5}}', 'a}}bc\\dtrue1.5'],
    ['{{if .Name}}\\n{{end}}', '\n'],
  ])('%s', (text, expected) => {
    expect(parseTemplate(text)(row)).toBe(expected);
  });

  it('prints the whole', () => {
    const { Label: _label, ...plain } = row;
    expect(parseTemplate('{{json .}}')(plain)).toBe(JSON.stringify(plain));
  });

  it.each([
    ['{{.Name', 'unclosed action'],
    ['{{range .x}}', '{{range}} is not ended by {{end}}'],
    ['{{if .Name}}a{{else}}b', '{{else}} is not ended by {{end}}'],
    ['a{{end}}', 'unexpected {{end}}'],
    ['{{odd .Name}}', 'function "odd" not defined'],
    ['{{.Name | odd}}', 'function "odd" not defined'],
    ['{{}}', 'missing value'],
    ['{{.Name .Count}}', 'cannot be invoked as function'],
    ['{{"a" .Count}}', "can't give argument to non-function"],
    ['{{$x}}', 'undefined variable "$x"'],
    ['{{$a, $b := .spec}}', 'too many declarations'],
    ['{{(.Name}}', 'unclosed left paren'],
    ['{{.Name)}}', 'unexpected ")"'],
    ['{{.Name ? 1}}', 'unexpected "?"'],
    ['{{template "x"}}', '{{template}} is not supported'],
    ['{{index .spec.tags 7}}', 'out of range'],
    ['{{join .Name .Name}}', 'join needs a list'],
    ['{{truncate .Name "x"}}', 'expected a whole number'],
    ['{{upper}}', 'wrong number of args for upper'],
  ])('refuses %s', (text, message) => {
    expect(() => parseTemplate(text)(row)).toThrow(UsageError);
    expect(() => parseTemplate(text)(row)).toThrow(message);
  });

  it('names the fields when one is unknown', () => {
    expect(() => parseTemplate('{{.Nam}}')(row)).toThrow(/known: Name, Empty/);
  });
});
