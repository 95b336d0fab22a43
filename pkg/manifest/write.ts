import { stringify } from 'yaml';

/** YAML of a value as people like to read it: no aliases, long text unfolded, empty maps short. */
export function toYaml(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
}
