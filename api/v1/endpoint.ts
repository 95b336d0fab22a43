import { Type, type Static } from 'typebox';

const closed = { additionalProperties: false } as const;

/** A port of the tasks made reachable from outside. */
export const Port = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, description: 'For people.' })),
    target: Type.Integer({ minimum: 1, maximum: 65535, description: 'Port inside the container.' }),
    published: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65535,
        description: 'Port on the node. Default: one the engine chooses.',
      }),
    ),
    protocol: Type.Optional(
      Type.Enum(['tcp', 'udp', 'sctp'], { default: 'tcp', description: 'Protocol of the port.' }),
    ),
    mode: Type.Optional(
      Type.Enum(['ingress', 'host'], {
        default: 'ingress',
        description: 'host: on the nodes that run a task. ingress is not supported yet.',
      }),
    ),
  },
  closed,
);
export type Port = Static<typeof Port>;

/** How clients reach the service. */
export const Endpoint = Type.Object(
  {
    mode: Type.Optional(
      Type.Enum(['vip', 'dnsrr'], { default: 'vip', description: 'dnsrr is not supported yet.' }),
    ),
    ports: Type.Optional(Type.Array(Port, { description: 'Ports made reachable from outside.' })),
  },
  { ...closed, description: 'How clients reach the service.' },
);
export type Endpoint = Static<typeof Endpoint>;
