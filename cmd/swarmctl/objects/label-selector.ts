import { holds, parseSelector } from '../../../api/v1/index.js';
import { UsageError } from '../exit-code.js';

/** Whether labels are as a selector demands. Errors: UsageError when it is none. */
export function labelSelector(
  text: string,
): (labels: Readonly<Record<string, string>> | undefined) => boolean {
  const found = parseSelector(text);
  if ('problem' in found) throw new UsageError(`-l, --selector: ${found.problem}`);
  return (labels = {}) => found.every((wanted) => holds(wanted, labels[wanted.key]));
}
