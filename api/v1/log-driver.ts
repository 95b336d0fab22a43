import { Type, type Static } from 'typebox';

const closed = { additionalProperties: false } as const;

/** Where the container's output goes. */
export const LogDriver = Type.Object(
  {
    name: Type.String({ minLength: 1, description: 'Such as json-file, local, journald, none.' }),
    options: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Of the driver, such as max-size: 10m.',
      }),
    ),
  },
  { ...closed, description: "Where the container's output goes. Default: the engine's driver." },
);
export type LogDriver = Static<typeof LogDriver>;
