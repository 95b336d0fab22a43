import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top of the checkout, without a slash at the end. */
export const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

const RUN = join(CHECKOUT, '.run');

/** Everything that a local cluster writes is below `.run/`; `make down` leaves only the logs. */
export const LAYOUT = {
  run: RUN,
  /** Held by the one process that is starting or running a local cluster. */
  lock: join(RUN, 'lock'),
  state: join(RUN, 'state.json'),
  env: join(RUN, 'env'),
  pids: join(RUN, 'pids'),
  logs: join(RUN, 'logs'),
  docker: join(RUN, 'docker'),
  etcd: join(RUN, 'etcd'),
  manager: join(RUN, 'manager'),
  agent: join(RUN, 'agent'),
  image: join(RUN, 'image'),
  /** The swarmctl context that `swarm-manager init` writes. */
  adminContext: join(RUN, 'swarmctl.yaml'),
  example: join(CHECKOUT, 'deploy/examples/hello.yaml'),
} as const;

/** A program of the checkout, as `node` takes it. */
export const programPath = (name: 'swarm-manager' | 'swarm-agent' | 'swarmctl'): string =>
  join(CHECKOUT, 'bin', name);
