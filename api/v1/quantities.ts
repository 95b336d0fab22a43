const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Milliseconds of a duration such as `1m30s`; undefined when it is not one. */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let ns = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    ns += Number(amount) * (UNIT_NS[unit ?? ''] ?? 0);
  }
  return ns / 1e6;
}

/** Milliseconds of a duration known to be valid (it passed its schema), or `fallback` when undefined. */
export function durationMs(text: string | undefined, fallback: number): number {
  return text === undefined ? fallback : (parseDurationMs(text) ?? fallback);
}

/** The canonical text of a duration: `90s` and `1m30s` are both `1m30s`. */
export function formatDurationMs(ms: number): string {
  if (ms === 0) return '0s';
  const parts: string[] = [];
  let rest = ms;
  for (const [unit, size] of [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${String(count)}${unit}`);
    rest -= count * size;
  }
  if (rest > 0) parts.push(`${String(Math.round(rest * 1e6))}ns`);
  return parts.join('');
}

const SIZE_POWER: Readonly<Record<string, number>> = { b: 0, k: 1, m: 2, g: 3, t: 4 };

/** Bytes of a size such as `64Mi` or `64m` (powers of 1024), or of a plain number; undefined when it is neither. */
export function parseBytes(value: string | number): number | undefined {
  if (typeof value === 'number') return value;
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(i?b?)$/i.exec(value);
  if (!match) return undefined;
  const power = SIZE_POWER[(match[2] ?? '').toLowerCase()] ?? 0;
  return Math.round(Number(match[1]) * 1024 ** power);
}

/** The canonical text of a size: the largest unit that divides it, such as `64Mi`. */
export function formatBytes(bytes: number): string {
  for (const [unit, power] of [
    ['Ti', 4],
    ['Gi', 3],
    ['Mi', 2],
    ['Ki', 1],
  ] as const) {
    const size = 1024 ** power;
    if (bytes >= size && bytes % size === 0) return `${String(bytes / size)}${unit}`;
  }
  return String(bytes);
}

/** Billionths of a CPU of a number or text such as `0.5`; undefined when it is neither. */
export function parseCpuNano(value: string | number): number | undefined {
  const cpus = typeof value === 'number' ? value : Number(value);
  return Number.isFinite(cpus) && cpus >= 0 ? Math.round(cpus * 1e9) : undefined;
}
