import { connectivityState } from '@grpc/grpc-js';
import type { ChannelOptions, Client, ClientDuplexStream, Metadata } from '@grpc/grpc-js';
import { noop } from 'cockatiel';
import { Etcd3 } from 'etcd3';
import type { IWatchRequest, IWatchResponse } from 'etcd3';

/** PEM texts for mutual TLS with etcd. */
export interface EtcdTls {
  /** Certificates of the authorities that etcd's certificate may come from. */
  readonly ca: string | Buffer;
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** What a connection is for; decides about keepalive without calls. */
export type EtcdConnectionUse = 'calls' | 'watch';

/** Everything that makes one connection. */
export interface EtcdConnectionOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly endpoint: string;
  readonly use: EtcdConnectionUse;
  readonly tls?: EtcdTls | undefined;
  /** Largest reply that is accepted, in bytes. */
  readonly maxReplyBytes: number;
}

/** Both halves of one Watch call. */
export type WatchStream = ClientDuplexStream<IWatchRequest, IWatchResponse>;

/** The one method of the generated client that etcd3 does not let through with metadata. */
interface RawWatchClient {
  watch(metadata: Metadata): WatchStream;
}

/**
 * etcd allows a ping every 5 s (`--grpc-keepalive-min-time`) and hangs up with `too_many_pings` on
 * clients that ping oftener, or that ping while they have no call open.
 */
const KEEPALIVE_INTERVAL_MS = 10_000;
const KEEPALIVE_TIMEOUT_MS = 5_000;
/** gRPC's own back-off goes up to two minutes: far too long for a store that came back. */
const RECONNECT_INITIAL_MS = 100;
const RECONNECT_MAX_MS = 1_000;

let connectionCount = 0;

/**
 * One HTTP/2 connection to one etcd member, through etcd3 without its retries, circuit breaker and
 * load balancing: each of these guesses, where we have to know.
 */
export class EtcdConnection extends Etcd3 {
  readonly endpoint: string;
  private readonly service: 'KV' | 'Watch';

  constructor(options: EtcdConnectionOptions) {
    super({
      hosts: options.endpoint,
      grpcOptions: channelOptions(options),
      faultHandling: { host: () => noop, global: noop },
      ...(options.tls && {
        credentials: {
          rootCertificate: Buffer.from(options.tls.ca),
          privateKey: Buffer.from(options.tls.key),
          certChain: Buffer.from(options.tls.cert),
        },
      }),
    });
    this.endpoint = options.endpoint;
    this.service = options.use === 'watch' ? 'Watch' : 'KV';
  }

  /**
   * Connects if need be. False when that failed or took longer than `timeoutMs`: then nothing was sent,
   * which no error of a call proves.
   */
  async ready(timeoutMs: number): Promise<boolean> {
    const channel = (await this.client()).getChannel();
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) return true;
      if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) {
        return false;
      }
      const moved = await new Promise<boolean>((resolve) => {
        channel.watchConnectivityState(state, deadline, (error) => {
          resolve(error === undefined);
        });
      });
      if (!moved) return false;
    }
  }

  /** A raw watch stream: etcd3's Watcher resumes from wrong revisions and hides compaction. */
  watchStream(): Promise<WatchStream> {
    return this.pool.withConnection('Watch', ({ client, metadata }) => {
      const own = metadata.clone();
      // without it a member that lost its cluster keeps our watch open and silent
      own.set('hasleader', 'true');
      return (client as unknown as RawWatchClient).watch(own);
    });
  }

  private client(): Promise<Client> {
    return this.pool.withConnection(this.service, ({ client }) => client);
  }
}

function channelOptions({ use, maxReplyBytes }: EtcdConnectionOptions): ChannelOptions {
  connectionCount += 1;
  return {
    'grpc.max_receive_message_length': maxReplyBytes,
    'grpc.keepalive_time_ms': KEEPALIVE_INTERVAL_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.keepalive_permit_without_calls': use === 'watch' ? 1 : 0,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_INITIAL_MS,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
    'grpc.enable_retries': 0,
    'grpc.enable_channelz': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    // gRPC shares connections between clients with equal options: an own value is an own connection,
    // so that big replies never hold up a watch and a new client really starts anew
    'swarmkeeper.connection': connectionCount,
  };
}
