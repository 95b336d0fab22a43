import type { Command } from 'commander';
import { SystemClock } from '../../pkg/base/index.js';
import { createCli } from './cli.js';
import { buildProgram, pathOf } from './program.js';
import type { Streams } from './streams.js';

const INTRODUCTION = `# swarmctl

Talks to the managers of a cluster. This file is generated from the commands themselves: what
\`swarmctl COMMAND --help\` says is here, too.

Which cluster it talks to, and as whom, is in \`$SWARMCTL_CONFIG\` or \`~/.swarmctl/config.yaml\`
(\`swarmctl config --help\`). Scripts can rely on the exit codes below, on \`-o json\`, \`-o yaml\`,
\`-o name\`, and on results being on standard output while errors and hints are on standard error.

Not supported yet, and refused by name: \`--network\`, \`--secret\`, \`--config\`, \`--publish\` in mode
ingress, \`--credential-spec config://\`, \`--with-registry-auth\`. What of the other flags a cluster
cannot run yet, its managers refuse with the field's path.
`;

/** Nothing of a reference may depend on the machine that writes it. */
const NOWHERE: Omit<Streams, 'out'> = {
  err: () => undefined,
  readStdin: () => Promise.resolve(''),
  isTerminal: false,
  columns: 96,
  rows: 24,
  env: {},
  interrupted: new AbortController().signal,
  clock: new SystemClock(),
};

/** The reference of all commands, as Markdown. */
export async function swarmctlReference(): Promise<string> {
  let text = '';
  const streams: Streams = { ...NOWHERE, out: (part) => (text += part) };
  const program = await buildProgram(createCli(streams));
  const sections = visibleCommands(program).map((command) => {
    text = '';
    command.outputHelp();
    const level = command === program ? '##' : '###';
    return `${level} ${pathOf(command)}\n\n\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`;
  });
  return [INTRODUCTION, ...sections].join('\n');
}

function visibleCommands(command: Command): readonly Command[] {
  const below = command.createHelp().visibleCommands(command);
  return [command, ...below.flatMap(visibleCommands)];
}
