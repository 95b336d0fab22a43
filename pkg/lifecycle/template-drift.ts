import { canonicalTemplate, type RevisionTemplate } from '../../api/v1/index.js';

/** Texts of templates, which never change once they are stored. */
const texts = new WeakMap<RevisionTemplate, string>();

/**
 * True when two templates differ in nothing that a running task would notice: at most in where tasks may be
 * placed and who goes first, and in how their image is pulled (swarm-semantics 2.7, dirty test).
 */
export function runsTheSame(a: RevisionTemplate, b: RevisionTemplate): boolean {
  return a === b || runningText(a) === runningText(b);
}

/** True when both pull their image alike. */
export function pullsTheSame(a: RevisionTemplate, b: RevisionTemplate): boolean {
  return pullPolicyOf(a) === pullPolicyOf(b);
}

const pullPolicyOf = ({ task }: RevisionTemplate) => task.container.pullPolicy ?? 'always';

function runningText(template: RevisionTemplate): string {
  const known = texts.get(template);
  if (known !== undefined) return known;
  const {
    placement: _placement,
    priority: _priority,
    preemption: _preemption,
    ...task
  } = template.task;
  const { pullPolicy: _pullPolicy, ...container } = task.container;
  const text = canonicalTemplate({ ...template, task: { ...task, container } });
  texts.set(template, text);
  return text;
}
