import { describe, expect, it } from 'vitest';
import { InvalidObjectError } from '../base/index.js';
import { parsePreference } from './preference.js';

describe('parsePreference', () => {
  it.each([
    ['node.labels.az', 'node.labels.az'],
    ['Node.Labels.AZ', 'node.labels.AZ'],
    [' engine.labels.rack ', 'engine.labels.rack'],
    ['node.hostname', 'node.hostname'],
  ])('takes %j', (spread, key) => {
    expect(parsePreference({ spread }).key).toBe(key);
  });

  it.each(['node.ip', 'node.labels.', 'az', ''])(
    'refuses %j and says what is allowed',
    (spread) => {
      expect(() => parsePreference({ spread })).toThrow(InvalidObjectError);
      expect(() => parsePreference({ spread })).toThrow(
        `cannot spread over "${spread}"; allowed are node.id, node.hostname, node.role`,
      );
    },
  );
});
