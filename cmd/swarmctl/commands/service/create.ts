import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../../cli.js';
import {
  addCreateOptions,
  completeOptions,
  type CreateOptions,
} from '../../docker/create-options.js';
import { randomName } from '../../docker/random-name.js';
import { serviceSpecOf } from '../../docker/service-spec.js';
import { labelMap } from '../../docker/values.js';
import { followServices } from '../../progress/follow-services.js';
import { quietly } from '../../progress/quietly.js';
import { defineDockerCommand } from '../define-command.js';
import { waitDeadline } from '../timeout-option.js';

interface CreateFlags extends Partial<CreateOptions> {
  readonly detach?: boolean;
  readonly quiet?: boolean;
}

/** `swarmctl service create`. */
export function createCommand(cli: Cli): Command {
  const command = defineDockerCommand({
    name: 'create',
    summary: 'Create a new service',
    examples: [
      ['Three tasks of an image', 'swarmctl service create --name web --replicas 3 nginx:1.27'],
      ['A command of its own', 'swarmctl service create --name ping alpine ping -i 5 localhost'],
      [
        'A port of the node',
        'swarmctl service create --name web -p published=8080,target=80,mode=host nginx:1.27',
      ],
      [
        'Limits, a volume and a health check',
        'swarmctl service create --limit-memory 64m --mount source=data,target=/data --health-cmd "test -e /data/ok" app:1',
      ],
    ],
  })
    .argument('<image>', 'image to run')
    .argument('[command-and-args...]', "arguments in the place of the image's own")
    .passThroughOptions();
  return addCreateOptions(command)
    .option('-d, --detach', 'exit immediately instead of waiting for the service to converge')
    .option('-q, --quiet', 'suppress progress output')
    .action((image: string, args: readonly string[], flags: CreateFlags, self: Command) => {
      const options = completeOptions(flags);
      const spec = serviceSpecOf(options, { image, args, environment: cli.streams.env });
      const service = {
        apiVersion: 'swarm/v1',
        kind: 'Service',
        metadata: { name: flags.name ?? randomName(), labels: labelMap('label', options.label) },
        spec,
      };
      return withCluster(cli, self, (session) => create(session, service, flags));
    });
}

async function create(
  session: Session,
  service: { readonly metadata: { readonly name: string } },
  { detach = false, quiet = false }: CreateFlags,
): Promise<void> {
  const { api, streams } = session;
  const { object } = await api.create('services', service, { signal: streams.interrupted });
  streams.out(`${object.metadata.uid ?? object.metadata.name}\n`);
  if (detach) return;
  await followServices(
    quiet ? quietly(session) : session,
    [object.metadata.name],
    waitDeadline(streams, 0),
  );
}
