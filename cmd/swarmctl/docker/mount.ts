import type { Mount } from '../../../api/v1/index.js';
import { keyValue, parseCsv } from './csv.js';
import { invalidArgument, sizeValue } from './values.js';

/** What one `--mount` says, before it is put in order. */
interface Draft {
  readonly plain: Record<string, string | boolean>;
  readonly bind: Record<string, string | boolean>;
  readonly volume: Record<string, string | boolean>;
  readonly driverOptions: Record<string, string>;
  readonly labels: Record<string, string>;
  readonly tmpfs: Record<string, string>;
  readonly image: Record<string, string>;
}

type Section = 'plain' | 'bind' | 'volume' | 'tmpfs' | 'image';
type Rule = readonly [section: Section, field: string];

/** Keys with a text as value, and where they go. */
const TEXTS: Readonly<Record<string, Rule>> = {
  type: ['plain', 'type'],
  source: ['plain', 'source'],
  src: ['plain', 'source'],
  target: ['plain', 'target'],
  dst: ['plain', 'target'],
  destination: ['plain', 'target'],
  consistency: ['plain', 'consistency'],
  'bind-propagation': ['bind', 'propagation'],
  'volume-driver': ['volume', 'driver'],
  'volume-subpath': ['volume', 'subpath'],
  'tmpfs-mode': ['tmpfs', 'mode'],
  'image-subpath': ['image', 'subpath'],
};

/** Keys that stand alone or have true or false as value. */
const FLAGS: Readonly<Record<string, Rule>> = {
  readonly: ['plain', 'readOnly'],
  ro: ['plain', 'readOnly'],
  'bind-nonrecursive': ['bind', 'nonRecursive'],
  'bind-create-src': ['bind', 'createSource'],
  'volume-nocopy': ['volume', 'noCopy'],
};

const TYPES = ['bind', 'volume', 'tmpfs', 'image', 'npipe', 'cluster'];

/** Reads `type=bind,source=/a,target=/b,readonly`. Errors: UsageError in Docker's words. */
export function parseMount(text: string): Mount {
  const draft: Draft = {
    plain: {},
    bind: {},
    volume: {},
    driverOptions: {},
    labels: {},
    tmpfs: {},
    image: {},
  };
  for (const field of parseCsv(text)) readField(draft, text, field);
  return finished(draft, text);
}

function readField(draft: Draft, text: string, field: string): void {
  const [key, value] = keyValue(field);
  const flag = FLAGS[key];
  if (flag) {
    draft[flag[0]][flag[1]] = booleanOf(text, key, value);
    return;
  }
  if (value === undefined) {
    throw invalidArgument('mount', text, `invalid field '${field}' must be a key=value pair`);
  }
  const rule = TEXTS[key];
  if (rule) draft[rule[0]][rule[1]] = value;
  else readSpecial(draft, text, { key, value });
}

function readSpecial(
  draft: Draft,
  text: string,
  { key, value }: { readonly key: string; readonly value: string },
): void {
  switch (key) {
    case 'volume-opt':
      Object.assign(draft.driverOptions, pairOf(value));
      return;
    case 'volume-label':
      Object.assign(draft.labels, pairOf(value));
      return;
    case 'tmpfs-size':
      draft.tmpfs['size'] = sizeValue('mount', value);
      return;
    case 'bind-recursive':
      if (value === 'disabled') draft.bind['nonRecursive'] = true;
      else if (value !== 'enabled') throw notSupported(text, `bind-recursive=${value}`);
      return;
    default:
      throw invalidArgument('mount', text, `unexpected key '${key}' in '${key}=${value}'`);
  }
}

const notSupported = (text: string, what: string) =>
  invalidArgument('mount', text, `${what} is not supported yet`);

function pairOf(value: string): Record<string, string> {
  const equals = value.indexOf('=');
  return equals < 0 ? { [value]: '' } : { [value.slice(0, equals)]: value.slice(equals + 1) };
}

function booleanOf(text: string, key: string, value: string | undefined): boolean {
  if (value === undefined || value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw invalidArgument('mount', text, `invalid value for ${key}: ${value}`);
}

function finished(draft: Draft, text: string): Mount {
  const type = String(draft.plain['type'] ?? 'volume').toLowerCase();
  if (!TYPES.includes(type)) {
    throw invalidArgument(
      'mount',
      text,
      `invalid mount type "${type}": expected ${TYPES.join(', ')}`,
    );
  }
  if (type === 'cluster') throw notSupported(text, 'type=cluster (CSI)');
  if (draft.plain['target'] === undefined) {
    throw invalidArgument('mount', text, 'target is required');
  }
  if (type === 'bind' && draft.plain['source'] === undefined) {
    throw invalidArgument('mount', text, "source is required when specifying mount type 'bind'");
  }
  const volume = {
    ...draft.volume,
    ...(hasKeys(draft.driverOptions) && { driverOptions: draft.driverOptions }),
    ...(hasKeys(draft.labels) && { labels: draft.labels }),
  };
  const sections = { bind: draft.bind, volume, tmpfs: draft.tmpfs, image: draft.image };
  const foreign = Object.entries(sections).find(([name, part]) => hasKeys(part) && name !== type);
  if (foreign) {
    throw invalidArgument(
      'mount',
      text,
      `cannot mix '${foreign[0]}-*' options with mount type '${type}'`,
    );
  }
  const own = Object.entries(sections).filter(([, part]) => hasKeys(part));
  return { ...draft.plain, type, ...Object.fromEntries(own) } as Mount;
}

const hasKeys = (part: object) => Object.keys(part).length > 0;
