/** `value` without the members that are undefined: absent, not undefined, is how the engine wants it. */
export function defined<T extends object>(
  value: T,
): { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
} {
  return Object.fromEntries(
    Object.entries(value).filter(([, part]) => part !== undefined),
  ) as ReturnType<typeof defined<T>>;
}

/** `map(value)`, or undefined when there is no value. */
export function optional<T, R>(value: T | undefined, map: (value: T) => R): R | undefined {
  return value === undefined ? undefined : map(value);
}
