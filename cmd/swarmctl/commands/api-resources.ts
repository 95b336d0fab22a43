import { Option, type Command } from 'commander';
import { KINDS, type KindDescription } from '../../../api/v1/index.js';
import type { Cli } from '../cli.js';
import { renderTable } from '../output/table.js';
import { defineCommand } from './define-command.js';

/** `swarmctl api-resources`. */
export function apiResourcesCommand(cli: Cli): Command {
  return defineCommand({
    name: 'api-resources',
    summary: 'The kinds of objects and how they are called',
    examples: [['All kinds, with their short names', 'swarmctl api-resources']],
  })
    .addOption(new Option('-o, --output <format>', 'form').choices(['wide', 'name']))
    .option('--no-headers', 'leave the headings out')
    .action(({ output, headers }: { readonly output?: string; readonly headers: boolean }) => {
      const names = KINDS.map(({ plural }) => `${plural}\n`).join('');
      const options = { wide: output === 'wide', headings: headers };
      cli.streams.out(
        output === 'name' ? names : renderTable<KindDescription>(COLUMNS, KINDS, options),
      );
    });
}

const COLUMNS = [
  { heading: 'NAME', text: ({ plural }: KindDescription) => plural },
  { heading: 'SHORT NAMES', text: ({ shortNames }: KindDescription) => shortNames.join(',') },
  { heading: 'KIND', text: ({ kind }: KindDescription) => kind },
  { heading: 'VERBS', text: ({ verbs }: KindDescription) => verbs.join(','), wide: true },
  { heading: 'WHAT IT IS', text: ({ summary }: KindDescription) => summary },
];
