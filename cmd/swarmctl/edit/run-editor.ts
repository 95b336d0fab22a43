import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NotFoundError, messageOf } from '../../../pkg/base/index.js';
import type { Streams } from '../streams.js';

/** A text that a person edits in a file of its own, which only they can read. */
export class EditedFile {
  private constructor(
    private readonly folder: string,
    /** Where it is. */
    readonly path: string,
  ) {}

  /** `name` ends as editors know it: `.yaml`. */
  static async create(name: string): Promise<EditedFile> {
    const folder = await mkdtemp(join(tmpdir(), 'swarmctl-edit-'));
    return new EditedFile(folder, join(folder, name));
  }

  /** Lets the person edit a text; resolves to what they saved. Errors: NotFoundError when there is no editor. */
  async edit(text: string, streams: Streams): Promise<string> {
    await writeFile(this.path, text, { mode: 0o600 });
    await runEditor(this.path, streams);
    return readFile(this.path, 'utf8');
  }

  /** Forgets it. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** As git and kubectl choose it: the variable may carry arguments. */
function editorOf({ env }: Streams): string {
  const { SWARMCTL_EDITOR, VISUAL, EDITOR } = env;
  return SWARMCTL_EDITOR ?? VISUAL ?? EDITOR ?? 'vi';
}

async function runEditor(path: string, streams: Streams): Promise<void> {
  const editor = editorOf(streams);
  const restore = leaveInterruptsToEditor();
  try {
    const code = await exitCode(editor, path);
    if (code !== 0) {
      throw new NotFoundError(
        `the editor "${editor}" ended with ${String(code)}; set EDITOR to another one`,
      );
    }
  } finally {
    restore();
  }
}

function exitCode(editor: string, path: string): Promise<number | string> {
  const child = spawn('sh', ['-c', `${editor} "$1"`, 'sh', path], { stdio: 'inherit' });
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(messageOf(error)));
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'an unknown error'));
  });
}

/** Ctrl-C in an editor means something to the editor; it reaches us as well. */
function leaveInterruptsToEditor(): () => void {
  const ours = process.rawListeners('SIGINT') as (() => void)[];
  const ignore = () => undefined;
  process.removeAllListeners('SIGINT');
  process.on('SIGINT', ignore);
  return () => {
    process.off('SIGINT', ignore);
    for (const listener of ours) process.on('SIGINT', listener);
  };
}
