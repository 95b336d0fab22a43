import { mergePatch } from '../../../api/v1/index.js';
import { InvalidObjectError, hasCode, messageOf } from '../../../pkg/base/index.js';
import type { WriteOptions } from '../../../pkg/client/index.js';
import type { Session } from '../cli.js';
import { fieldChanges, isMap, writtenParts, type FieldChange } from '../objects/field-changes.js';
import { mergeDiff } from '../objects/merge-diff.js';
import type { NamedObject } from '../objects/named-objects.js';
import { pluralOf, referenceOf, titleOf, type AnyObject } from '../objects/target.js';
import { readObject } from '../objects/unknown-name.js';
import {
  bufferOf,
  headerLines,
  isBlank,
  withComments,
  withoutHeader,
  type EditFormat,
} from './edit-buffer.js';
import { EditedFile } from './run-editor.js';

/** How an edit ended; undefined when nothing was changed. */
export type EditOutcome = { readonly object: AnyObject } | undefined;

/** What an edit needs to know. */
export interface Editing {
  readonly named: NamedObject;
  readonly format: EditFormat;
  readonly write: WriteOptions;
}

/**
 * Lets a person edit an object, again and again until the managers take it or the person gives up. Others may
 * change the object meanwhile: what does not touch the same fields is kept, the rest is shown. When it fails, the
 * text stays in its file, and the error says where.
 */
export async function editObject(session: Session, editing: Editing): Promise<EditOutcome> {
  const { kind, name } = editing.named;
  const before = await readObject(session.api, editing.named, session.streams.interrupted);
  const ending = editing.format === 'json' ? 'json' : 'yaml';
  const file = await EditedFile.create(
    `${kind.singular}-${name.replace(/[^\w.-]/g, '_')}.${ending}`,
  );
  const edit = new Edit(session, editing, before);
  try {
    const outcome = await edit.run(file);
    await file.remove();
    return outcome;
  } catch (error) {
    if (edit.isUntouched) await file.remove();
    else session.streams.err(`what you wrote is kept in ${file.path}\n`);
    throw error;
  }
}

class Edit {
  private text = '';
  private problems: readonly string[] = [];
  /** Nothing was written yet that could be lost. */
  isUntouched = true;

  constructor(
    private readonly session: Session,
    private readonly editing: Editing,
    private before: AnyObject,
  ) {}

  async run(file: EditedFile): Promise<EditOutcome> {
    this.text = await bufferOf(writtenParts(this.before), this.editing.format);
    for (;;) {
      const shown = withComments(this.text, this.problems);
      const saved = await file.edit(shown, this.session.streams);
      if (isBlank(saved)) return undefined;
      // Our comments do not count: an editor that is a program may change them, too, and never end.
      if (withoutHeader(saved) === withoutHeader(shown)) {
        this.requireNoProblem();
        return undefined;
      }
      this.isUntouched = false;
      this.text = withoutHeader(saved);
      const outcome = await this.attempt();
      if (outcome !== 'again') return outcome;
    }
  }

  /** Told what is wrong, the person left the text as it was. */
  private requireNoProblem(): void {
    const [first = ''] = this.problems;
    if (first !== '') throw new InvalidObjectError(`nothing was changed: ${first}`);
  }

  private async attempt(): Promise<EditOutcome | 'again'> {
    const { parseYaml } = await import('../../../pkg/manifest/index.js');
    let wanted: unknown;
    try {
      wanted = parseYaml(this.text);
    } catch (error) {
      return this.again([placed(messageOf(error))]);
    }
    if (!isMap(wanted)) return this.again(['this is not an object: expected metadata and spec']);
    const mine = mergeDiff(writtenParts(this.before), withoutNulls(wanted));
    if (mine === undefined) return undefined;
    return this.send(mine);
  }

  private async send(mine: unknown): Promise<EditOutcome | 'again'> {
    const { api } = this.session;
    const { named, write } = this.editing;
    try {
      const reference = referenceOf(named.kind, this.before);
      const { object } = await api.patch(
        pluralOf(named.kind),
        reference,
        this.guarded(mine),
        write,
      );
      return { object };
    } catch (error) {
      if (hasCode(error, 'ERR_CONFLICT')) return this.rebase(mine, error);
      if (error instanceof InvalidObjectError) return this.again(problemLines(error));
      throw error;
    }
  }

  /** Fails when somebody else was faster. */
  private guarded(mine: unknown): object {
    const patch = isMap(mine) ? mine : {};
    const metadata = isMap(patch['metadata']) ? patch['metadata'] : {};
    return { ...patch, metadata: { ...metadata, version: this.before.metadata.version } };
  }

  /** Puts the change onto what is there now; where others changed the same, the person decides. */
  private async rebase(mine: unknown, conflict: unknown): Promise<EditOutcome | 'again'> {
    const { api, streams } = this.session;
    const live = await readObject(api, this.editing.named, streams.interrupted);
    if (live.metadata.version === this.before.metadata.version) throw conflict;
    const base = writtenParts(this.before);
    const merged = mergePatch(writtenParts(live), mine);
    const theirs = fieldChanges(base, writtenParts(live));
    const both = theirs.filter((change) =>
      touches(fieldChanges(base, mergePatch(base, mine)), change),
    );
    this.before = live;
    if (both.length === 0) return this.send(mergeDiff(writtenParts(live), merged) ?? {});
    this.text = withoutHeader(await bufferOf(merged as object, this.editing.format));
    const title = titleOf(this.editing.named.kind, this.editing.named.name);
    return this.again([
      `${title} was changed by somebody else meanwhile; below is yours, theirs was:`,
      ...both.map(
        ({ path, after }) =>
          `  ${path}: ${after === undefined ? '(removed)' : JSON.stringify(after)}`,
      ),
    ]);
  }

  private again(problems: readonly string[]): 'again' {
    this.problems = problems;
    return 'again';
  }
}

/** The line as it will be numbered below our comments. */
function placed(message: string): string {
  const shift = headerLines([message]);
  return message.replace(
    /at line (\d+)/,
    (_all, line) => `at line ${String(Number(line) + shift)}`,
  );
}

/** Whether one of the changes is at the same place as another, above it or below it. */
function touches(changes: readonly FieldChange[], { path }: FieldChange): boolean {
  const isWithin = (inner: string, outer: string) =>
    inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
  return changes.some((change) => isWithin(change.path, path) || isWithin(path, change.path));
}

function problemLines(error: InvalidObjectError): readonly string[] {
  if (error.problems.length === 0) return [error.message];
  return error.problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
}

/** A field that was emptied is a field that was removed. */
function withoutNulls(value: unknown): unknown {
  if (!isMap(value)) return value;
  const given = Object.entries(value).filter(([, part]) => part !== null);
  return Object.fromEntries(given.map(([key, part]) => [key, withoutNulls(part)]));
}
