/** Order of names in which `web2` comes before `web10`. */
export function byNaturalOrder(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
