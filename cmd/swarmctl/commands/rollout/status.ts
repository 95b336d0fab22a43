import type { Command } from 'commander';
import type { Condition, Service, ServiceStatus } from '../../../../api/v1/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { AlreadyToldError, NotYetError } from '../../exit-code.js';
import { readService } from '../../objects/read-service.js';
import { serviceNames } from '../../objects/service-names.js';
import { plural } from '../../output/words.js';
import { followServices } from '../../progress/follow-services.js';
import { defineCommand } from '../define-command.js';
import { timeoutOption, waitDeadline } from '../timeout-option.js';

interface StatusFlags {
  readonly wait: boolean;
  readonly timeout: number;
}

/** `swarmctl rollout status`. */
export function statusCommand(cli: Cli): Command {
  return defineCommand({
    name: 'status',
    summary: 'How the rollout of services goes, until it is over',
    description:
      'Shows progress until every task runs as wanted. Exits with 0 when it is done (or its canaries wait for their promotion), 1 when it stopped or went back, 3 when --timeout is over or, with --no-wait, when it is still under way.',
    examples: [
      ['For a script', 'swarmctl rollout status web --timeout 5m'],
      ['Only look', 'swarmctl rollout status web --no-wait'],
    ],
  })
    .argument('<service...>', 'names of services')
    .option('--no-wait', 'say how it stands, and do not wait')
    .addOption(timeoutOption('0'))
    .action((args: readonly string[], { wait, timeout }: StatusFlags, self: Command) => {
      const names = serviceNames(args);
      return withCluster(cli, self, async (session) => {
        const services = await Promise.all(names.map((name) => readService(session, name)));
        if (wait) await followServices(session, names, waitDeadline(session.streams, timeout));
        else tell(session, services);
      });
    });
}

type Standing = 'done' | 'stopped' | 'under way';

/** Errors: AlreadyToldError when one stopped; NotYetError when one is under way. */
function tell({ streams }: Session, services: readonly Service[]): void {
  const standings = services.map((service): Standing => {
    const { standing, words } = standingOf(service);
    streams.out(`service/${service.metadata.name}: ${words}\n`);
    return standing;
  });
  if (standings.includes('stopped')) throw new AlreadyToldError('a rollout stopped');
  if (standings.includes('under way')) throw new NotYetError('not every rollout is done');
}

function standingOf(service: Service): { readonly standing: Standing; readonly words: string } {
  const { metadata, status } = service;
  const progress = status?.conditions.find(({ type }) => type === 'Progressing');
  if (!status || !progress || status.observedGeneration < (metadata.generation ?? 1)) {
    return { standing: 'under way', words: 'the leading manager has not looked at it yet' };
  }
  return { standing: standingBy(progress), words: wordsBy(progress, status) };
}

function standingBy({ reason, status }: Condition): Standing {
  if (reason === 'AwaitingPromotion' || reason === 'Settled') return 'done';
  return status === 'true' ? 'under way' : 'stopped';
}

function wordsBy({ reason, message }: Condition, status: ServiceStatus): string {
  if (reason !== 'Settled') return message;
  const { updated, desired, update, revision } = status;
  const share = `${String(updated)} of ${plural(desired, 'task')}`;
  return `rolled out: ${share} run revision ${String(update?.to ?? revision)}`;
}
