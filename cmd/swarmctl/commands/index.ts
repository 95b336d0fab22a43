/** Every command: its name and summary, and where to find the rest when it is asked for. */
import type { CommandFactory } from './define-command.js';

/** A command of the first level. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Heading in `swarmctl --help`. */
  readonly group: string;
  /** Not for people. */
  readonly isHidden?: boolean;
  readonly load: () => Promise<CommandFactory>;
}

/** Docker's commands that come later. Refused by name. */
const LATER: readonly (readonly [name: string, instead: string])[] = [
  [
    'stack',
    'Write services as YAML and `swarmctl apply -f` them, a whole directory at once if you like.',
  ],
  [
    'network',
    'Tasks use the networks of their host until then: `swarmctl explain service.spec.task.container.networkMode`.',
  ],
  [
    'secret',
    'Mount a file of the host until then: `swarmctl explain service.spec.task.container.mounts`.',
  ],
  ['exec', 'Use `docker exec` on the node that `swarmctl service ps NAME` names.'],
];

const OBJECTS = 'Objects:';
const WATCHING = 'Watching:';
const NODES = 'Nodes:';
const DOCKER = "Docker's names:";
const OTHERS = 'This program:';

/** In the order of `swarmctl --help`. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'apply',
    summary: 'Create or change objects from files',
    group: OBJECTS,
    load: async () => (await import('./apply.js')).applyCommand,
  },
  {
    name: 'diff',
    summary: 'What an apply of files would change',
    group: OBJECTS,
    load: async () => (await import('./diff.js')).diffCommand,
  },
  {
    name: 'plan',
    summary: 'What an apply of files would do to tasks and nodes',
    group: OBJECTS,
    load: async () => (await import('./plan.js')).planCommand,
  },
  {
    name: 'get',
    summary: 'Show objects',
    group: OBJECTS,
    load: async () => (await import('./get.js')).getCommand,
  },
  {
    name: 'describe',
    summary: 'Everything about an object: what it does, and why not',
    group: OBJECTS,
    load: async () => (await import('./describe.js')).describeCommand,
  },
  {
    name: 'delete',
    summary: 'Delete objects',
    group: OBJECTS,
    load: async () => (await import('./delete.js')).deleteCommand,
  },
  {
    name: 'edit',
    summary: 'Change an object in an editor',
    group: OBJECTS,
    load: async () => (await import('./edit.js')).editCommand,
  },
  {
    name: 'patch',
    summary: 'Change fields of an object',
    group: OBJECTS,
    load: async () => (await import('./patch.js')).patchCommand,
  },
  {
    name: 'set',
    summary: 'Set the image, environment or resources of services',
    group: OBJECTS,
    load: async () => (await import('./set/index.js')).setCommand,
  },
  {
    name: 'label',
    summary: 'Set or remove labels of objects',
    group: OBJECTS,
    load: async () => (await import('./label.js')).labelCommand,
  },
  {
    name: 'annotate',
    summary: 'Set or remove annotations of objects',
    group: OBJECTS,
    load: async () => (await import('./annotate.js')).annotateCommand,
  },
  {
    name: 'replace',
    summary: 'Replace objects by files as a whole',
    group: OBJECTS,
    load: async () => (await import('./replace.js')).replaceCommand,
  },
  {
    name: 'scale',
    summary: 'Change how many tasks services have',
    group: OBJECTS,
    load: async () => (await import('./scale.js')).scaleCommand,
  },
  {
    name: 'cronjob',
    summary: 'Jobs that are run on a schedule',
    group: OBJECTS,
    load: async () => (await import('./cronjob/index.js')).cronjobCommand,
  },
  {
    name: 'rollout',
    summary: 'Follow, pause, undo and promote updates of services',
    group: OBJECTS,
    load: async () => (await import('./rollout/index.js')).rolloutCommand,
  },
  {
    name: 'job',
    summary: 'Runs of services whose tasks complete',
    group: OBJECTS,
    load: async () => (await import('./job/index.js')).jobCommand,
  },
  {
    name: 'explain',
    summary: 'What a field means, its type, default and limits',
    group: OBJECTS,
    load: async () => (await import('./explain.js')).explainCommand,
  },
  {
    name: 'api-resources',
    summary: 'The kinds of objects and how they are called',
    group: OBJECTS,
    load: async () => (await import('./api-resources.js')).apiResourcesCommand,
  },
  {
    name: 'logs',
    summary: 'What the containers of a service or task write',
    group: WATCHING,
    load: async () => (await import('./logs.js')).logsCommand,
  },
  {
    name: 'events',
    summary: 'What happened in the last hour',
    group: WATCHING,
    load: async () => (await import('./events.js')).eventsCommand,
  },
  {
    name: 'wait',
    summary: 'Wait until objects are as they should be',
    group: WATCHING,
    load: async () => (await import('./wait.js')).waitCommand,
  },
  {
    name: 'drain',
    summary: 'Move all tasks off nodes, and keep new ones away',
    group: NODES,
    load: async () => (await import('./drain.js')).drainCommand,
  },
  {
    name: 'cordon',
    summary: 'Keep new tasks away from nodes',
    group: NODES,
    load: async () => (await import('./cordon.js')).cordonCommand,
  },
  {
    name: 'uncordon',
    summary: 'Open nodes to tasks again',
    group: NODES,
    load: async () => (await import('./cordon.js')).uncordonCommand,
  },
  {
    name: 'service',
    summary: 'Services, as `docker service` does it',
    group: DOCKER,
    load: async () => (await import('./service/index.js')).serviceCommand,
  },
  {
    name: 'node',
    summary: 'Nodes, as `docker node` does it',
    group: DOCKER,
    load: async () => (await import('./node/index.js')).nodeCommand,
  },
  {
    name: 'swarm',
    summary: 'The cluster, as `docker swarm` does it',
    group: DOCKER,
    load: async () => (await import('./swarm/index.js')).swarmCommand,
  },
  {
    name: 'cluster',
    summary: 'Back the cluster up, bring back what was declared, accept a restored store',
    group: OTHERS,
    load: async () => (await import('./cluster/index.js')).clusterCommand,
  },
  {
    name: 'config',
    summary: 'Clusters that this user knows',
    group: OTHERS,
    load: async () => (await import('./config.js')).configCommand,
  },
  {
    name: 'version',
    summary: 'Versions of swarmctl and of the manager that answers',
    group: OTHERS,
    load: async () => (await import('./version.js')).versionCommand,
  },
  {
    name: 'completion',
    summary: "Let a shell complete swarmctl's commands",
    group: OTHERS,
    load: async () => (await import('./completion.js')).completionCommand,
  },
  {
    name: '__complete',
    summary: 'Words that may follow',
    group: OTHERS,
    isHidden: true,
    load: async () => (await import('./complete.js')).completeCommand,
  },
  ...LATER.map(([name, instead]) => ({
    name,
    summary: 'Not supported yet',
    group: DOCKER,
    isHidden: true,
    load: async () => {
      const { notSupportedYet } = await import('./not-supported-yet.js');
      return () => notSupportedYet(name, instead);
    },
  })),
];
