import { KINDS, findKind, nearest, type KindDescription } from '../../../api/v1/index.js';
import type { KindTypes, Plural } from '../../../pkg/client/index.js';
import { UsageError } from '../exit-code.js';

/** Objects of one kind that the user named; without names all of them. */
export interface Target {
  readonly kind: KindDescription;
  readonly names: readonly string[];
}

/** Any object of the API. */
export type AnyObject = KindTypes[Plural];

/** The kind's name in routes, as the client's types know it. */
export const pluralOf = ({ plural }: KindDescription): Plural => plural as Plural;

/** The kind called so. Errors: UsageError that suggests one. */
export function requireKind(name: string): KindDescription {
  const found = findKind(name);
  if (found) return found;
  const words = KINDS.flatMap(({ plural, singular, shortNames }) => [
    singular,
    plural,
    ...shortNames,
  ]);
  const near = nearest(name, words);
  throw new UsageError(
    `unknown kind "${name}"${near === undefined ? '' : `; did you mean ${near}?`}`,
    `Kinds: ${KINDS.map(({ plural }) => plural).join(', ')}. See 'swarmctl api-resources'.`,
  );
}

/** Reads `KIND[,KIND] [NAME…]` or `KIND/NAME…`. Errors: UsageError. */
export function parseTargets(args: readonly string[]): readonly Target[] {
  const [first = '', ...rest] = args;
  if (!first.includes('/')) {
    const kinds = first.split(',').filter(Boolean).map(requireKind);
    if (kinds.length > 1 && rest.length > 0) {
      throw new UsageError('names can be given for one kind only; write KIND/NAME for several');
    }
    return kinds.map((kind) => ({ kind, names: rest.map((name) => withoutKind(name, kind)) }));
  }
  return args.map(parseTarget);
}

/** Reads `KIND/NAME`. Errors: UsageError. */
export function parseTarget(text: string): Target & { readonly name: string } {
  const slash = text.indexOf('/');
  const name = text.slice(slash + 1);
  if (slash < 1 || name === '') {
    throw new UsageError(`"${text}" is not KIND/NAME, such as service/web`);
  }
  return { kind: requireKind(text.slice(0, slash)), name, names: [name] };
}

/** `get service service/web` is understood as `get service web`. */
function withoutKind(name: string, kind: KindDescription): string {
  const slash = name.indexOf('/');
  const isKind = slash > 0 && findKind(name.slice(0, slash)) === kind;
  return isKind ? name.slice(slash + 1) : name;
}

/** `service/web`. */
export function titleOf(kind: KindDescription, name: string): string {
  return `${kind.singular}/${name}`;
}

/** The name by which an object is asked for again. Nodes share host names, so they go by id. */
export function referenceOf(kind: KindDescription, object: AnyObject): string {
  const { name, uid } = object.metadata;
  if (object.kind === 'ServiceRevision') return `${object.service}/${String(object.revision)}`;
  return kind.kind === 'Node' || kind.kind === 'Task' ? (uid ?? name) : name;
}
