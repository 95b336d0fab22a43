import { Type, type Static } from 'typebox';
import { duration } from './common.js';

const closed = { additionalProperties: false } as const;

const port = (description: string) => Type.Integer({ minimum: 1, maximum: 65_535, description });

/** A GET request to a port of the container. Statuses from 200 to 399 are good; redirects are not followed. */
export const HttpAction = Type.Object(
  {
    path: Type.Optional(
      Type.String({
        maxLength: 2048,
        pattern: '^/[!-~]*$',
        default: '/',
        expected: 'a path such as /healthz, with spaces and the like written as %20',
        description: 'What is asked for, query included.',
      }),
    ),
    port: port('Port of the container that is asked.'),
    scheme: Type.Optional(
      Type.Enum(['http', 'https'], {
        default: 'http',
        description: 'With `https` the certificate is not verified: the container has no name.',
      }),
    ),
    headers: Type.Optional(
      Type.Record(
        Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" }),
        Type.String({ pattern: '^[\\t -~]*$', expected: 'printable text in one line' }),
        {
          description: 'Headers to send, such as Host.',
        },
      ),
    ),
  },
  {
    ...closed,
    description: 'A GET request: statuses 200 to 399 are good, redirects are not followed.',
  },
);
export type HttpAction = Static<typeof HttpAction>;

/** A connection to a port of the container. */
export const TcpAction = Type.Object(
  { port: port('Port of the container that is connected to.') },
  { ...closed, description: 'A connection: good once it stands.' },
);
export type TcpAction = Static<typeof TcpAction>;

/** A command run inside of the container. */
export const ExecAction = Type.Object(
  {
    command: Type.Array(Type.String(), {
      minItems: 1,
      description: 'Program and arguments; put [sh, -c, …] around what needs a shell.',
    }),
  },
  { ...closed, description: 'A command inside of the container: good when it ends with code 0.' },
);
export type ExecAction = Static<typeof ExecAction>;

/** A question that the node's agent asks a container again and again. */
export const Probe = Type.Object(
  {
    http: Type.Optional(HttpAction),
    tcp: Type.Optional(TcpAction),
    exec: Type.Optional(ExecAction),
    period: Type.Optional(
      duration({
        default: '10s',
        description: 'From one try to the next. 100ms to 24h; with exec at least 1s.',
      }),
    ),
    timeout: Type.Optional(
      duration({ default: '1s', description: 'A try that takes longer has failed. 10ms to 24h.' }),
    ),
    initialDelay: Type.Optional(
      duration({ default: '0s', description: 'Before the first try. At most 24h.' }),
    ),
    failureThreshold: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        default: 3,
        description: 'So many failures in a row, one per period, make it fail.',
      }),
    ),
    successThreshold: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000,
        default: 1,
        description: 'So many successes in a row make it pass again. Readiness only.',
      }),
    ),
  },
  {
    ...closed,
    oneOfMembers: ['http', 'tcp', 'exec'],
    description: 'Exactly one of http, tcp and exec, and how often it is tried.',
  },
);
export type Probe = Static<typeof Probe>;

/** What the agent asks a container, beside Docker's own health check. */
export const Probes = Type.Object(
  {
    startup: Type.Optional({
      ...Probe,
      description:
        'The task is `starting` until it passes; when it fails, the container is stopped and the task has failed. Passes once.',
    }),
    readiness: Type.Optional({
      ...Probe,
      description:
        'Takes the task out of service while it fails, and into service once it passes. Never stops it.',
    }),
    liveness: Type.Optional({
      ...Probe,
      description:
        'When it fails, the container is stopped and the task has failed; the restart policy decides what follows.',
    }),
  },
  { ...closed, description: 'Probes of the container, run by the agent of its node.' },
);
export type Probes = Static<typeof Probes>;
