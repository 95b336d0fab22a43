import type { SessionRequest, StatusReport, StatusResponse } from '../../../api/v1/index.js';
import type { NodeAgentOptions, Session } from '../../../pkg/agent/index.js';
import { UnavailableError, abortReason } from '../../../pkg/base/index.js';
import { ConnectionError } from '../../../pkg/client/connection-error.js';
import { Failover } from '../../../pkg/client/failover.js';
import { exchange } from '../machines/exchange.js';
import type { Network } from '../machines/network.js';
import type { SimProcess } from '../machines/sim-process.js';
import { SessionPipe, type PipeReader } from './session-pipe.js';
import type { SimManager } from './sim-manager.js';

/** An agent that goes away while it waits for its turn is noticed when its stream opens. */
const NEVER = new AbortController().signal;

/** What an agent's line to the managers is made of. */
export interface ManagerLineOptions {
  readonly agent: SimProcess;
  readonly nodeId: string;
  readonly network: Network;
  /** The manager at this address, if there ever was one. */
  managerAt(address: string): SimManager | undefined;
  /** Addresses from the start. */
  readonly managers: readonly string[];
}

/** As SwarmClient's. */
const OPEN_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 3_000;
const CALL_TIMEOUT_MS = 10_000;

const CERTIFICATE_EXPIRES_AT = new Date(Date.UTC(2030, 0, 1));

interface Dialled {
  readonly manager: SimManager;
  readonly process: SimProcess;
}

interface OpenCall {
  readonly request: SessionRequest;
  /** Ends the session. */
  readonly signal: AbortSignal | undefined;
  /** The deadline of opening it. */
  readonly openSignal: AbortSignal;
}

/** An agent's line to whichever manager answers: sessions and reports, as SwarmClient carries them. */
export class ManagerLine {
  private readonly failover: Failover;

  constructor(private readonly options: ManagerLineOptions) {
    this.failover = new Failover(options.managers, options.agent.clock);
  }

  /** As the agent takes it. */
  get managers(): NodeAgentOptions['managers'] {
    return {
      openSession: (request, signal) =>
        this.failover.run(
          { what: 'open a session', timeoutMs: OPEN_TIMEOUT_MS, idempotent: true, signal },
          (address, openSignal) => this.open(address, { request, signal, openSignal }),
        ),
      useManagers: (addresses) => {
        this.failover.use(addresses);
      },
      renew: () => Promise.reject(new UnavailableError('certificates last in this world')),
      useCredentials: () => undefined,
    };
  }

  private async open(address: string, call: OpenCall): Promise<Session> {
    const dialled = await this.dial(address, call.openSignal);
    const { agent, network } = this.options;
    const pipe = new SessionPipe(network, agent, dialled.process);
    const { reader } = pipe;
    closeOnAbort(reader, call.signal);
    const stopOpening = closeOnAbort(reader, call.openSignal);
    pipe.request(() => this.serveSession(dialled, pipe, call.request));
    const opened = await reader.next();
    stopOpening();
    if (opened?.type !== 'open') {
      throw new UnavailableError('the manager ended the session before it began');
    }
    return {
      manager: address,
      opened,
      messages: reader,
      report: (body, options) =>
        this.report(dialled, { sessionId: opened.sessionId, ...body }, options ?? {}),
      pushStream: () => Promise.reject(new UnavailableError('there are no logs in this world')),
    };
  }

  /** TCP and TLS: somebody listens there. Errors: ConnectionError. */
  private async dial(address: string, signal: AbortSignal): Promise<Dialled> {
    const { network, agent } = this.options;
    const manager = this.options.managerAt(address);
    const failure = (why: string) => new ConnectionError(address, new Error(why), false);
    if (!manager) throw failure('no route to the host');
    const { process } = manager;
    const timeoutMs = CONNECT_TIMEOUT_MS;
    await exchange(
      { network, client: agent, server: process, failure, signal, timeoutMs },
      async () => {
        if (!manager.service) throw failure('connection refused');
      },
    );
    return { manager, process };
  }

  /** In the manager. */
  private serveSession({ manager }: Dialled, pipe: SessionPipe, request: SessionRequest): void {
    const { service } = manager;
    if (!service) {
      pipe.refuse(new UnavailableError('the manager stops'));
      return;
    }
    const { agent, nodeId } = this.options;
    const claim = {
      nodeId,
      address: agent.host.name,
      certificateExpiresAt: CERTIFICATE_EXPIRES_AT,
      request: cloned(request),
    };
    service.sessions
      .open(claim, () => pipe.openStream(), NEVER)
      .catch((error: unknown) => {
        pipe.refuse(error as Error);
      });
  }

  private report(
    { manager, process }: Dialled,
    report: StatusReport,
    options: NonNullable<Parameters<Session['report']>[1]>,
  ): Promise<StatusResponse> {
    const { network, agent, nodeId } = this.options;
    const failure = (why: string) => new ConnectionError(manager.address, new Error(why), true);
    const { signal, timeoutMs = CALL_TIMEOUT_MS } = options;
    const sent = cloned(report);
    return exchange(
      { network, client: agent, server: process, signal, timeoutMs, failure },
      async () => {
        if (!manager.service) throw failure('connection refused');
        return cloned(await manager.service.sessions.report(nodeId, sent));
      },
    );
  }
}

/** Returns how to keep the stream open when the signal aborts after all. */
function closeOnAbort(reader: PipeReader, signal: AbortSignal | undefined): () => void {
  const onAbort = () => {
    reader.fail(abortReason(signal));
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  return () => signal?.removeEventListener('abort', onAbort);
}

/** What crosses a wire is a copy. */
const cloned = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
