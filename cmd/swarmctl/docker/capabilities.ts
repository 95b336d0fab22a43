/** Capabilities as they are stored: `net_admin` is `CAP_NET_ADMIN`. */
export function capabilityName(text: string): string {
  const name = text.trim().toUpperCase();
  return name === 'ALL' || name === RESET || name.startsWith('CAP_') ? name : `CAP_${name}`;
}

/** Takes back whatever was added or dropped before. */
const RESET = 'RESET';

/** What is added to the default set, and what is taken from it. */
export interface Capabilities {
  readonly add: readonly string[];
  readonly drop: readonly string[];
}

/**
 * The two lists after `--cap-add` and `--cap-drop`: adding what was dropped only takes it from what is dropped, and
 * the other way round; RESET forgets what a list had. What is in both flags is added.
 */
export function changedCapabilities(before: Capabilities, flags: Capabilities): Capabilities {
  const [adding, dropping] = [namesOf(flags.add), namesOf(flags.drop)];
  const added = adding.includes(RESET) ? [] : namesOf(before.add);
  const dropped = dropping.includes(RESET) ? [] : namesOf(before.drop);
  const toAdd = adding.filter((name) => name !== RESET);
  const toDrop = dropping.filter((name) => name !== RESET && !toAdd.includes(name));
  const without = (list: readonly string[], gone: readonly string[]) =>
    list.filter((name) => !gone.includes(name));
  return {
    add: unique([...without(added, toDrop), ...without(toAdd, dropped)]),
    drop: unique([...without(dropped, toAdd), ...without(toDrop, added)]),
  };
}

const namesOf = (list: readonly string[]) => unique(list.map(capabilityName));
const unique = (list: readonly string[]) => [...new Set(list)];
