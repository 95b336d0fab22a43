import { findKind } from '../../../api/v1/index.js';
import { UsageError } from '../exit-code.js';

/** Names of services out of `web`, `service/web` or `service web api`. Errors: UsageError. */
export function serviceNames(args: readonly string[]): readonly string[] {
  const [first = '', ...others] = args;
  const isKindApart = others.length > 0 && isService(first);
  const names = (isKindApart ? others : args).map(withoutKind);
  if (names.length === 0) throw new UsageError('name a service');
  return names;
}

const isService = (word: string): boolean => findKind(word)?.kind === 'Service';

function withoutKind(text: string): string {
  const [kind = '', name, ...rest] = text.split('/');
  if (name === undefined) return text;
  if (rest.length > 0 || !isService(kind) || name === '') {
    throw new UsageError(`"${text}" is no service`, 'Write web or service/web.');
  }
  return name;
}
