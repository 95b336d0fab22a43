import { createHash } from 'node:crypto';
import { canonicalTemplate, type RevisionTemplate } from '../../api/v1/index.js';

/** Equal for templates that mean the same, and only for them: decides whether tasks restart. */
export function templateHash(template: RevisionTemplate): string {
  return createHash('sha256').update(canonicalTemplate(template)).digest('hex').slice(0, 32);
}
