import { Type, type Static } from 'typebox';

/** The only version of the API so far; every object states it. */
export const API_VERSION = 'swarm/v1';

/** Names of objects. Services have a stricter rule of their own: see {@link SERVICE_NAME}. */
export const ObjectName = Type.String({
  minLength: 1,
  maxLength: 253,
  pattern: '^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$',
  expected:
    'a name of letters, digits, "-", "_" and ".", starting and ending with a letter or digit',
});

/** A service's name becomes part of task and host names: lower case, at most 63 characters, no dot. */
export const SERVICE_NAME = /^[a-z0-9]([-a-z0-9_]{0,61}[a-z0-9])?$/;

/** A map of text to text; none by default. */
export function labelsOf(description: string) {
  return Type.Record(Type.String({ minLength: 1 }), Type.String(), {
    default: {},
    expected: 'a map of text to text',
    description,
  });
}

/** Free key/value pairs for people and selectors. Never restart anything. */
export const Labels = labelsOf('For people and selectors; they never restart anything.');
export type Labels = Static<typeof Labels>;

/** Extra facts about a field for its documentation and its error messages. */
export interface FieldNotes {
  readonly description?: string;
  readonly default?: string | number | boolean;
}

/** A length of time: `300ms`, `10s`, `1m30s`, `2h`; stored in that form. */
export const duration = (notes: FieldNotes = {}) =>
  Type.String({
    pattern: '^(0|([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$',
    expected: 'a duration such as 500ms, 10s, 1m30s or 2h',
    ...notes,
  });

/** A size in bytes: a whole number, or text such as `64Mi`, `64m`, `1g` (all powers of 1024, as in Docker). */
export const byteSize = (notes: FieldNotes = {}) =>
  Type.Union(
    [
      Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?([bB]|[kKmMgGtT]([iI]?[bB])?|[kKmMgGtT][iI])?$' }),
      Type.Integer({ minimum: 0 }),
    ],
    { expected: 'a size such as 64Mi, 512m, 1g or a number of bytes', ...notes },
  );

/** A number of CPUs: `0.5`, `2`. At least 0.001. */
export const cpuCount = (notes: FieldNotes = {}) =>
  Type.Union(
    [Type.Number({ minimum: 0.001 }), Type.String({ pattern: '^[0-9]+(\\.[0-9]{1,9})?$' })],
    { expected: 'a number of CPUs of at least 0.001, such as 0.5 or 2', ...notes },
  );

/** An instant in UTC, ISO 8601. */
export const Timestamp = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z$' });

/** The object that made this one, and that takes it along when it goes. */
export const OwnerReference = Type.Object(
  {
    kind: Type.String({ description: 'Kind of the owner.' }),
    name: Type.String({ description: 'Name of the owner.' }),
    uid: Type.String({
      description: 'The uid of the owner: a later one of its name owns nothing here.',
    }),
  },
  {
    additionalProperties: false,
    description:
      'The object that made this one and takes it along when it goes. Set by the server.',
  },
);
export type OwnerReference = Static<typeof OwnerReference>;

/** What every object says of itself. All but name, labels and annotations is set by the server. */
export const ObjectMeta = Type.Object(
  {
    name: Type.String({
      ...ObjectName,
      description:
        'Its name, which never changes. For services: at most 63 of a-z, 0-9, "-" and "_".',
    }),
    labels: Type.Optional(Labels),
    annotations: Type.Optional(
      Type.Record(Type.String({ minLength: 1 }), Type.String(), {
        description: 'Free notes; not used by selectors.',
      }),
    ),
    uid: Type.Optional(
      Type.String({
        description: 'Tells this object from a later one of the same name. Set by the server.',
      }),
    ),
    version: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          'Revision of the last write. Sent back, a write fails when it is stale. Set by the server.',
      }),
    ),
    generation: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'Counts changes of the spec, and orders about it. Set by the server.',
      }),
    ),
    createdAt: Type.Optional(
      Type.String({ ...Timestamp, description: 'When it was made. Set by the server.' }),
    ),
    updatedAt: Type.Optional(
      Type.String({ ...Timestamp, description: 'When it was changed last. Set by the server.' }),
    ),
    deletingAt: Type.Optional(
      Type.String({
        description:
          'Deletion was asked for; the object goes when all it owns is gone. Set by the server.',
      }),
    ),
    ownedBy: Type.Optional(OwnerReference),
  },
  { additionalProperties: false },
);
export type ObjectMeta = Static<typeof ObjectMeta>;

/** Metadata as stored: what the server sets is there. */
export interface StoredMeta {
  readonly name: string;
  readonly uid: string;
  readonly version: number;
  readonly generation: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly deletingAt?: string;
  readonly ownedBy?: OwnerReference;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One finding about an object, with the reason a person can read. */
export const Condition = Type.Object({
  type: Type.String(),
  status: Type.Enum(['true', 'false', 'unknown']),
  reason: Type.String({ description: 'A CamelCase word for machines.' }),
  message: Type.String({ description: 'A sentence for people.' }),
  changedAt: Timestamp,
});
export type Condition = Static<typeof Condition>;
