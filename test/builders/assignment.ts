import type { Assignment, ContainerSpec, RevisionTemplate } from '../../api/v1/index.js';

/** The task in slot `slot` of a service called web, wanted running. */
export function anAssignment(slot: number, changes: Partial<Assignment> = {}): Assignment {
  return {
    taskId: `task${String(slot)}`,
    name: `web.${String(slot)}`,
    service: 'web',
    serviceUid: 'uid1',
    serviceLabels: {},
    slot,
    desiredState: 'running',
    template: 'uid1/1',
    ...changes,
  };
}

/** A template whose container runs until it is stopped. */
export function aTemplate(container: Partial<ContainerSpec> = {}): RevisionTemplate {
  return {
    task: {
      container: { image: 'busybox:test', pullPolicy: 'if-not-present', ...container },
    },
  };
}
