/** The `filters` parameter that asks for containers with all these labels; nothing without any. */
export function labelFilter(
  labels: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, readonly string[]>> = {},
): { readonly filters?: string } {
  const label = Object.entries(labels).map(([key, value]) =>
    value === '' ? key : `${key}=${value}`,
  );
  const filters = { ...more, ...(label.length > 0 && { label }) };
  return Object.keys(filters).length === 0 ? {} : { filters: JSON.stringify(filters) };
}
