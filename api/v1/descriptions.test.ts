import { describe, expect, it } from 'vitest';
import { KINDS } from './index.js';

/** As much of a JSON schema as fields hang on. */
interface Fields {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Fields>>;
  readonly items?: Fields;
}

/** Paths of all fields below that say nothing of themselves. */
function undescribed(schema: Fields, path: string): readonly string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const below = undescribed(field, `${path}.${name}`);
    return field.description === undefined ? [`${path}.${name}`, ...below] : below;
  });
  return schema.items === undefined ? own : [...own, ...undescribed(schema.items, `${path}[]`)];
}

describe('what people write', () => {
  const written = KINDS.filter(({ verbs }) => verbs.includes('replace'));

  it.each(written.map((kind) => [kind.kind, kind.schema as Fields] as const))(
    'is described, field by field: %s',
    (_kind, { properties = {} }) => {
      const { metadata = {}, spec = {} } = properties;
      expect([...undescribed(metadata, 'metadata'), ...undescribed(spec, 'spec')]).toEqual([]);
    },
  );
});
