import { Option, type Command } from 'commander';
import { ConflictError, hasCode } from '../../../pkg/base/index.js';
import { withCluster, type Cli, type Session } from '../cli.js';
import { UsageError } from '../exit-code.js';
import { chosenByNameOrLabel, type Chosen, type NamedObject } from '../objects/named-objects.js';
import { pluralOf, referenceOf, titleOf, type AnyObject } from '../objects/target.js';
import { readObject } from '../objects/unknown-name.js';
import { WrittenReport } from '../output/print-written.js';
import { addWriteOptions, writeOptionsOf, type WriteFlags } from './write-options.js';

/** The two kinds of notes on an object. */
export interface NotesKind {
  readonly field: 'labels' | 'annotations';
  /** `label`. */
  readonly noun: string;
  /** What is said of an object when notes were set, only removed, or neither. */
  readonly words: { readonly set: string; readonly removed: string; readonly none: string };
}

interface NotesFlags extends WriteFlags, Chosen {
  readonly overwrite?: boolean;
  readonly list?: boolean;
}

/** `key=value` to set, undefined to remove. */
type Changes = ReadonlyMap<string, string | undefined>;

/** Gives a command the arguments, flags and work of `label` and `annotate`. */
export function addNotes(cli: Cli, command: Command, notes: NotesKind): Command {
  const { noun } = notes;
  command
    .argument('<kind|kind/name>', 'kind of the objects')
    .argument('[name|key=value|key-...]', `names, then ${noun}s to set or (with -) to remove`)
    .option('--overwrite', `also change ${noun}s that have another value`)
    .option('--list', `show the ${noun}s afterwards`)
    .option('-l, --selector <labels>', 'objects with these labels instead of names')
    .addOption(new Option('--all', 'all objects of the kind'));
  return addWriteOptions(command).action(
    (first: string, rest: readonly string[], flags: NotesFlags, self: Command) => {
      const isChange = (word: string) => /.=/.test(word) || /.-$/.test(word);
      const names = [first, ...rest.filter((word) => !isChange(word))];
      const changes = changesOf(rest.filter(isChange), notes);
      if (changes.size === 0 && !flags.list) {
        throw new UsageError(
          `name a ${noun} to set or to remove`,
          `Such as ${noun} key=value or key-.`,
        );
      }
      return withCluster(cli, self, async (session) => {
        const objects = await chosenByNameOrLabel(session, names, flags);
        await noteAll(session, objects, { ...flags, changes, notes });
      });
    },
  );
}

function changesOf(words: readonly string[], { noun }: NotesKind): Changes {
  const changes = new Map<string, string | undefined>();
  for (const word of words) {
    const [, key = '', value] = /^([^=]+?)(?:=([\s\S]*)|-)$/.exec(word) ?? [];
    if (changes.has(key)) throw new UsageError(`${noun} ${key} is given twice`);
    changes.set(key, value);
  }
  return changes;
}

interface Noting extends NotesFlags {
  readonly changes: Changes;
  readonly notes: NotesKind;
}

async function noteAll(
  session: Session,
  objects: readonly NamedObject[],
  noting: Noting,
): Promise<void> {
  const { streams } = session;
  const report = new WrittenReport(streams, noting.output, noting.dryRun ?? false);
  try {
    for (const named of objects) {
      const { object, word } = await note(session, named, noting);
      const { field } = noting.notes;
      const shown = Object.entries(object.metadata[field] ?? {}).sort();
      const lines = noting.list ? shown.map(([key, value]) => `  ${key}=${value}`) : [];
      report.add({ kind: named.kind, name: object.metadata.name, word, object, notes: lines });
    }
  } finally {
    await report.end();
  }
}

/** Losing a race so often in a row is no race any more. */
const MAX_ATTEMPTS = 5;

/** What may be overwritten is decided on what is there, so the write holds its version. */
async function note(
  session: Session,
  named: NamedObject,
  noting: Noting,
): Promise<{ readonly object: AnyObject; readonly word: string }> {
  const { api, streams } = session;
  for (let attempt = 1; ; attempt += 1) {
    const before = await readObject(api, named, streams.interrupted);
    const wanted = wantedNotes(before, named, noting);
    const { words } = noting.notes;
    if (wanted.length === 0) return { object: before, word: words.none };
    try {
      const object = await writeNotes(session, { named, before, wanted }, noting);
      const isSet = wanted.some(([, value]) => value !== undefined);
      return { object, word: isSet ? words.set : words.removed };
    } catch (error) {
      if (!hasCode(error, 'ERR_CONFLICT') || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

type Wanted = readonly (readonly [key: string, value: string | undefined])[];

/** What has to change. Errors: ConflictError when something would be overwritten that must not be. */
function wantedNotes(
  before: AnyObject,
  { kind, name }: NamedObject,
  { changes, notes, overwrite = false }: Noting,
): Wanted {
  const present = before.metadata[notes.field] ?? {};
  const wanted = [...changes].filter(([key, value]) => present[key] !== value);
  if (!overwrite) requireNone(wanted, present, { title: titleOf(kind, name), notes });
  return wanted;
}

async function writeNotes(
  { api, streams }: Session,
  { named, before, wanted }: { named: NamedObject; before: AnyObject; wanted: Wanted },
  { notes, ...flags }: Noting,
): Promise<AnyObject> {
  const { kind } = named;
  const values = wanted.map(([key, value]) => [key, value ?? null] as const); // RFC 7386: null removes
  const { version } = before.metadata;
  const patch = { metadata: { version, [notes.field]: Object.fromEntries(values) } };
  const options = writeOptionsOf(flags, streams);
  return (await api.patch(pluralOf(kind), referenceOf(kind, before), patch, options)).object;
}

function requireNone(
  wanted: Wanted,
  present: Readonly<Record<string, string>>,
  { title, notes }: { readonly title: string; readonly notes: NotesKind },
): void {
  for (const [key, value] of wanted) {
    const found = present[key];
    if (value === undefined || found === undefined) continue;
    throw new ConflictError(
      `${title} has ${notes.noun} ${key}=${found} already; --overwrite makes it ${value}`,
    );
  }
}
