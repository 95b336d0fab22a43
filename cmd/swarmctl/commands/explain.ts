import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  allowedWords,
  container,
  fieldsOf,
  findField,
  typeWords,
  type FieldSchema,
  type FoundField,
} from '../objects/schema-docs.js';
import { defineCommand } from './define-command.js';

/** `swarmctl explain`. */
export function explainCommand(cli: Cli): Command {
  return defineCommand({
    name: 'explain',
    summary: 'What a field means, its type, default and limits',
    examples: [
      ['What a service is made of', 'swarmctl explain service'],
      ['One field', 'swarmctl explain service.spec.task.restartPolicy.delay'],
      ['Everything about containers', 'swarmctl explain service.spec.task.container --recursive'],
    ],
  })
    .argument('<kind[.field...]>', 'what to explain')
    .option('-r, --recursive', 'also all fields below')
    .action((path: string, { recursive = false }: { readonly recursive?: boolean }) => {
      cli.streams.out(explain(findField(path), recursive, cli.streams.columns));
    });
}

function explain(found: FoundField, isRecursive: boolean, columns: number): string {
  const { kind, path, schema, isRequired } = found;
  const head = [
    `KIND:     ${kind.kind}`,
    ...(path === '' ? [] : [`FIELD:    ${path}`]),
    `TYPE:     ${typeWords(schema)}`,
    ...lineOf('DEFAULT: ', schema.default),
    ...lineOf('ALLOWED: ', allowedWords(schema)),
    ...(path !== '' && isRequired ? ['REQUIRED: yes'] : []),
  ];
  const description = descriptionOf(schema) ?? (path === '' ? kind.summary : '');
  const fields = fieldTexts(schema, { depth: 1, isRecursive, columns });
  return [
    `${head.join('\n')}\n`,
    description === '' ? '' : `DESCRIPTION:\n${wrapped(description, 4, columns)}`,
    fields === '' ? '' : `FIELDS:\n${fields}`,
  ]
    .filter(Boolean)
    .join('\n');
}

function lineOf(label: string, value: unknown): readonly string[] {
  if (value === undefined || typeof value === 'object') return [];
  return [`${label} ${typeof value === 'string' ? value : JSON.stringify(value)}`];
}

function descriptionOf(schema: FieldSchema): string | undefined {
  return schema.description ?? container(schema).description;
}

interface Layout {
  readonly depth: number;
  readonly isRecursive: boolean;
  readonly columns: number;
}

function fieldTexts(schema: FieldSchema, layout: Layout): string {
  const { depth, isRecursive, columns } = layout;
  return fieldsOf(schema)
    .map(([name, field, isRequired]) => {
      const indent = '  '.repeat(depth);
      const head = `${indent}${name} <${typeWords(field)}>${notesOf(field, isRequired)}\n`;
      const about = descriptionOf(field);
      const text = about === undefined ? '' : wrapped(about, indent.length + 4, columns);
      const below = isRecursive ? fieldTexts(field, { ...layout, depth: depth + 1 }) : '';
      return `${head}${text}${below}`;
    })
    .join('');
}

function notesOf(field: FieldSchema, isRequired: boolean): string {
  const notes = [
    isRequired ? 'required' : '',
    lineOf('default', field.default).join(''),
    field.enum === undefined ? '' : `one of ${field.enum.map(String).join(', ')}`,
  ].filter(Boolean);
  return notes.length === 0 ? '' : `  ${notes.join('; ')}`;
}

/** Breaks text into lines that fit. */
function wrapped(text: string, indent: number, columns: number): string {
  const width = Math.max(20, columns - indent);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((part) => `${' '.repeat(indent)}${part}\n`).join('');
}
