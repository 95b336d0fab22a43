import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { Command } from 'commander';
import type { BackupEnd, BackupHeader } from '../../../../api/v1/index.js';
import { InvalidObjectError, messageOf } from '../../../../pkg/base/index.js';
import type { CheckedLine } from '../../../../pkg/client/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { defineCommand } from '../define-command.js';

/** `swarmctl cluster backup`. */
export function backupCommand(cli: Cli): Command {
  return defineCommand({
    name: 'backup',
    summary: 'Write everything that the cluster remembers to a file',
    description:
      'Reads all that lasts (services, tasks, nodes, settings, the sealed root key and join tokens) as it was at one revision of etcd, checks it, and writes it to a file that only its owner may read. What is sealed stays sealed: `swarm-manager restore` needs the file encryption.key of a manager as well, so keep a copy of both, apart from each other. Events are not part of it.',
    examples: [
      ['To a file named after cluster and time', 'swarmctl cluster backup'],
      [
        'To a place of your choice, every night',
        'swarmctl cluster backup -o /srv/backup/$(date +%F).backup',
      ],
      ['Into a pipe', 'swarmctl cluster backup -o - | gpg --encrypt -r ops > cluster.backup.gpg'],
    ],
  })
    .option('-o, --output <file>', 'where to write it; - is standard output')
    .action(({ output }: { readonly output?: string }, command: Command) =>
      withCluster(cli, command, (session) => backup(session, output)),
    );
}

interface Written {
  readonly header: BackupHeader;
  readonly end: BackupEnd;
}

async function backup({ api, streams }: Session, output: string | undefined): Promise<void> {
  const lines = api.backup(streams.interrupted);
  const { header, end, place } =
    output === '-'
      ? { ...(await copy(lines, (text) => streams.out(text))), place: 'standard output' }
      : await toFile(lines, output);
  streams.err(
    `${place}: cluster ${header.clusterId} at revision ${header.revision}, ${end.count} keys, sha256 ${end.sha256}\n`,
  );
  if (end.skipped > 0) {
    streams.err(`warning: ${end.skipped} keys hold no objects of ours, and are not part of it\n`);
  }
}

/** All or nothing: the file is there when it is complete. */
async function toFile(
  lines: AsyncGenerator<CheckedLine>,
  output: string | undefined,
): Promise<Written & { readonly place: string }> {
  const first = await lines.next();
  if (first.done || first.value.kind !== 'header') throw incomplete();
  const place = output ?? nameOf(first.value.header);
  const draft = `${place}.${String(process.pid)}.tmp`;
  try {
    const file = createWriteStream(draft, { mode: 0o600 });
    const written = await copy(withFirst(first.value, lines), (text) => write(file, text));
    await close(file);
    await sync(draft);
    await rename(draft, place);
    return { ...written, place };
  } catch (error) {
    await rm(draft, { force: true });
    const { code } = error as { readonly code?: unknown };
    const isSystem = typeof code === 'string' && !code.startsWith('ERR_');
    throw isSystem ? new InvalidObjectError(`cannot write ${place}: ${messageOf(error)}`) : error;
  }
}

async function* withFirst(first: CheckedLine, rest: AsyncGenerator<CheckedLine>) {
  yield first;
  yield* rest;
}

async function copy(
  lines: AsyncGenerator<CheckedLine>,
  take: (text: string) => unknown,
): Promise<Written> {
  let header: BackupHeader | undefined;
  for await (const line of lines) {
    const content = contentOf(line);
    await take(`${JSON.stringify(content)}\n`);
    if (line.kind === 'header') header = line.header;
    if (line.kind === 'end' && header) return { header, end: line.end };
  }
  throw incomplete();
}

function contentOf(line: CheckedLine): object {
  if (line.kind === 'header') return line.header;
  return line.kind === 'entry' ? line.entry : line.end;
}

const incomplete = () => new InvalidObjectError('the manager gave an incomplete backup');

/** Sorts by time, and says of what it is one. */
const nameOf = ({ clusterId, createdAt }: BackupHeader): string =>
  `swarm-${clusterId.slice(0, 8)}-${createdAt.replace(/[:.]/g, '-')}.backup`;

async function write(file: WriteStream, text: string): Promise<void> {
  if (file.errored) throw file.errored;
  if (!file.write(text)) await once(file, 'drain');
}

async function close(file: WriteStream): Promise<void> {
  const closed = once(file, 'close');
  file.end();
  await closed;
  if (file.errored) throw file.errored;
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
