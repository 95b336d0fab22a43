import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../base/index.js';
import {
  ForbiddenError,
  NodeRemovedError,
  UnauthenticatedError,
  UnavailableError,
} from '../../base/index.js';
import type { World } from '../../objects/index.js';
import { assertStillValid, peerIdentity, type Identity } from '../../pki/index.js';
import type { Keys, Store } from '../../store/index.js';
import type { Caller } from './route.js';

/** What authentication rests on. */
export interface AuthenticatorOptions {
  readonly world: World;
  readonly store: Pick<Store, 'get'>;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly clusterId: string;
}

const FOREIGN =
  'was not signed by the root of this cluster: it is of another cluster, or older than this root';

type Outcome = { readonly identity: Identity | undefined } | { readonly error: unknown };

/** Knows who calls and whether a route is for them. Default: it is not. */
export class Authenticator {
  /** A connection's certificate never changes, and reading it is dear. */
  private readonly outcomes = new WeakMap<TLSSocket, Outcome>();

  constructor(private readonly options: AuthenticatorOptions) {}

  /**
   * Who is at the other end; undefined without a certificate.
   * Errors: UnauthenticatedError for a certificate that is foreign, or not valid now.
   */
  identify(socket: TLSSocket): Identity | undefined {
    const outcome = this.outcomes.get(socket) ?? this.read(socket);
    if ('error' in outcome) throw outcome.error;
    // Again for every request: a connection outlives the check that was made when it began.
    if (outcome.identity) assertStillValid(outcome.identity, this.options.clock.now());
    return outcome.identity;
  }

  /**
   * Who calls, if `allow` names them. Errors: UnauthenticatedError, ForbiddenError, NodeRemovedError;
   * UnavailableError when it cannot be known now.
   */
  async authorize(socket: TLSSocket, allow: readonly Caller[]): Promise<Identity | undefined> {
    if (allow.includes('anyone')) return undefined;
    const identity = this.identify(socket);
    if (identity === undefined) {
      throw new UnauthenticatedError('this needs a client certificate, and none was presented');
    }
    if (allow.includes('former-node') && identity.role !== 'swarm-admin') return identity;
    if (identity.role === 'swarm-worker') await this.requireNode(identity);
    if (identity.role === 'swarm-manager') await this.requireManagerOrNode(identity);
    if (this.isNamed(identity, allow)) return identity;
    if (allow.includes('node') && identity.role === 'swarm-manager') {
      await this.requireNode(identity);
      return identity;
    }
    throw new ForbiddenError(
      `${identity.id} is a ${identity.role.replace('swarm-', '')}; this is for ${allow.join(' and ')} only`,
    );
  }

  private read(socket: TLSSocket): Outcome {
    const outcome = this.tryRead(socket);
    this.outcomes.set(socket, outcome);
    return outcome;
  }

  private tryRead(socket: TLSSocket): Outcome {
    const { clusterId, clock } = this.options;
    try {
      return { identity: peerIdentity(socket, { clusterId, now: clock.now() }) };
    } catch (error) {
      return { error: explained(socket) ?? error };
    }
  }

  private isNamed({ role }: Identity, allow: readonly Caller[]): boolean {
    switch (role) {
      case 'swarm-admin':
        return allow.includes('admin');
      case 'swarm-manager':
        return allow.includes('manager');
      case 'swarm-worker':
        return allow.includes('node');
    }
  }

  private async requireNode({ id }: Identity): Promise<void> {
    if (!this.isKnownNode(id)) await this.requireStored([this.options.keys.node(id)]);
  }

  /** A node that joined as a manager loses its rights when it is removed; a running manager is registered. */
  private async requireManagerOrNode({ id }: Identity): Promise<void> {
    const { world, keys } = this.options;
    if (world.managers.get(id) !== undefined || this.isKnownNode(id)) return;
    await this.requireStored([keys.manager(id), keys.node(id)]);
  }

  private isKnownNode(id: string): boolean {
    const { nodes } = this.options.world;
    return nodes.get(id) !== undefined || nodes.isInvalid(id);
  }

  /** "Removed" makes a node clean up, so our cache alone is not believed: it may not know a new node yet. */
  private async requireStored(eitherOf: readonly string[]): Promise<void> {
    const { world, store } = this.options;
    if (world.cache.historyBreak !== undefined) {
      throw new UnavailableError(
        'the store lost history; nodes are not told that they are removed',
      );
    }
    const entries = await Promise.all(eitherOf.map((key) => store.get(key)));
    if (entries.every((entry) => entry === undefined)) {
      throw new NodeRemovedError('node was removed from the cluster');
    }
  }
}

const REFUSALS: Readonly<Record<string, string>> = {
  CERT_NOT_YET_VALID: "is not valid yet: compare the machines' clocks",
  SELF_SIGNED_CERT_IN_CHAIN: FOREIGN,
  DEPTH_ZERO_SELF_SIGNED_CERT: FOREIGN,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: FOREIGN,
  UNABLE_TO_GET_ISSUER_CERT: FOREIGN,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: FOREIGN,
  CERT_SIGNATURE_FAILURE: FOREIGN,
};

/** Words for OpenSSL's verdicts that people meet. */
function explained(socket: TLSSocket): Error | undefined {
  if (socket.authorized) return undefined;
  const { subject, valid_to: end } = socket.getPeerCertificate();
  const name = String((subject as typeof subject | undefined)?.CN);
  const verdict = String(socket.authorizationError);
  const words =
    verdict === 'CERT_HAS_EXPIRED'
      ? `ended on ${new Date(end).toISOString()}; it cannot be renewed any more: join again`
      : REFUSALS[verdict];
  return words === undefined
    ? undefined
    : new UnauthenticatedError(`the client certificate of ${name} ${words}`);
}
