import type { Option } from 'commander';

/** Whether an option is written like this: `-f` or `--format`. */
export function answersTo({ short, long }: Option, flag: string): boolean {
  return flag === short || flag === long;
}
