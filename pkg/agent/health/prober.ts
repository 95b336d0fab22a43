import type { ProbeAction } from '../../../api/v1/index.js';
import { ExecAction, type ExecEngine } from './exec-action.js';
import type { NetworkActions } from './network-actions.js';
import { failure, type ProbeOutcome, type TryOptions } from './probe-outcome.js';
import type { ProbeTarget } from './probe-target.js';

/** Makes one try at a container. Errors: the signal's reason, and nothing else. */
export type Attempt = (target: ProbeTarget, options: TryOptions) => Promise<ProbeOutcome>;

/** Who tries what templates ask for. */
export interface ProberOptions {
  readonly engine: ExecEngine;
  readonly network: NetworkActions;
}

const NO_ADDRESS = failure('the container has no address on this node; only exec needs none');

/** The attempt at what a probe or a hook of one container does; keep it, it knows of earlier tries. */
export function attemptOf({ engine, network }: ProberOptions, action: ProbeAction): Attempt {
  switch (action.kind) {
    case 'http':
      return (target, options) => reached(target, (host) => network.http(host, action, options));
    case 'tcp':
      return (target, options) =>
        reached(target, (host) => network.tcp(host, action.port, options));
    case 'exec': {
      const command = new ExecAction(engine, action.command);
      return ({ containerId }, options) => command.run(containerId, options);
    }
  }
}

function reached(
  { host }: ProbeTarget,
  attempt: (host: string) => Promise<ProbeOutcome>,
): Promise<ProbeOutcome> {
  return host === undefined ? Promise.resolve(NO_ADDRESS) : attempt(host);
}
