import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  configPath,
  readConfig,
  requireContext,
  withContext,
  withoutContext,
  writeConfig,
  type Config,
  type Context,
} from '../context/config-file.js';
import { UsageError } from '../exit-code.js';
import { renderTable, type Column } from '../output/table.js';
import { renewCommand } from './config-renew.js';
import { defineCommand, defineGroup } from './define-command.js';

/** `swarmctl config`. */
export function configCommand(cli: Cli): Command {
  return defineGroup(
    {
      name: 'config',
      summary: 'Clusters that this user knows',
      description:
        'Contexts say which managers to call and as whom. They are in $SWARMCTL_CONFIG, else in ~/.swarmctl/config.yaml.',
      examples: [
        ['Which clusters are known?', 'swarmctl config get-contexts'],
        ['Take over what `swarm-manager init` wrote', 'swarmctl config import admin.yaml'],
      ],
    },
    [
      getContexts(cli),
      currentContext(cli),
      useContext(cli),
      deleteContext(cli),
      view(cli),
      importFile(cli),
      renewCommand(cli),
    ],
  );
}

const pathFor = ({ streams }: Cli) => configPath(streams.env);

function getContexts(cli: Cli): Command {
  return defineCommand({
    name: 'get-contexts',
    summary: 'List the known clusters',
    examples: [['The current one is marked with *', 'swarmctl config get-contexts']],
  })
    .option('--no-headers', 'leave the headings out')
    .action(({ headers }: { readonly headers: boolean }) => {
      const { contexts, currentContext: current } = readConfig(pathFor(cli));
      const columns: readonly Column<Context>[] = [
        { heading: 'CURRENT', text: ({ name }) => (name === current ? '*' : '') },
        { heading: 'NAME', text: ({ name }) => name },
        { heading: 'MANAGERS', text: ({ managers }) => managers.join(',') },
      ];
      cli.streams.out(renderTable(columns, contexts, { headings: headers }));
    });
}

function currentContext(cli: Cli): Command {
  return defineCommand({
    name: 'current-context',
    summary: 'Name of the cluster that commands talk to',
    examples: [['For a prompt', 'swarmctl config current-context']],
  }).action(() => {
    cli.streams.out(`${requireContext(readConfig(pathFor(cli))).name}\n`);
  });
}

function useContext(cli: Cli): Command {
  return defineCommand({
    name: 'use-context',
    summary: 'Choose the cluster that commands talk to',
    examples: [['From now on', 'swarmctl config use-context production']],
  })
    .argument('<name>', 'name of a context')
    .action((name: string) => {
      const config = readConfig(pathFor(cli));
      requireContext(config, name);
      writeConfig(pathFor(cli), { ...config, currentContext: name });
      cli.streams.out(`now talking to ${name}\n`);
    });
}

function deleteContext(cli: Cli): Command {
  return defineCommand({
    name: 'delete-context',
    summary: 'Forget a cluster and the key to it',
    examples: [['The cluster itself is left alone', 'swarmctl config delete-context old']],
  })
    .argument('<name>', 'name of a context')
    .action((name: string) => {
      const config = readConfig(pathFor(cli));
      writeConfig(pathFor(cli), withoutContext(config, name));
      cli.streams.out(`context ${name} deleted\n`);
      if (config.currentContext === name) {
        cli.streams.err(
          'It was the current one; choose another with `swarmctl config use-context`.\n',
        );
      }
    });
}

function view(cli: Cli): Command {
  return defineCommand({
    name: 'view',
    summary: 'Show the configuration',
    examples: [
      ['Without keys', 'swarmctl config view'],
      ['Whole, to take it to another machine', 'swarmctl config view --raw > context.yaml'],
    ],
  })
    .option('--raw', 'with keys and certificates: anybody who reads it can act as you')
    .action(async ({ raw = false }: { readonly raw?: boolean }) => {
      const config = readConfig(pathFor(cli));
      const { toYaml } = await import('../../../pkg/manifest/index.js');
      cli.streams.out(toYaml(raw ? config : redacted(config)));
    });
}

function redacted(config: Config): Config {
  const contexts = config.contexts.map((context) => ({
    ...context,
    ca: '<PEM>',
    certificate: '<PEM>',
    key: '<redacted>',
  }));
  return { ...config, contexts };
}

function importFile(cli: Cli): Command {
  return defineCommand({
    name: 'import',
    summary: 'Take over contexts from a file',
    description:
      'Adds the contexts of a file, or puts them in the place of those of the same name. The last one becomes current.',
    examples: [['What `swarm-manager init` wrote', 'swarmctl config import admin.yaml']],
  })
    .argument('<file>', 'a file of contexts')
    .action((file: string) => {
      const { contexts, currentContext: wanted } = readConfig(file);
      if (contexts.length === 0) throw new UsageError(`${file} has no contexts, or does not exist`);
      const all = contexts.reduce(withContext, readConfig(pathFor(cli)));
      const current = contexts.some(({ name }) => name === wanted) ? wanted : all.currentContext;
      writeConfig(pathFor(cli), {
        ...all,
        ...(current !== undefined && { currentContext: current }),
      });
      for (const { name, managers } of contexts) {
        cli.streams.out(`context ${name} imported (${managers.join(', ')})\n`);
      }
    });
}
