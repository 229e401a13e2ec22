import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../src/pipeline/store/strictJson.js';

describe('parseJson', () => {
  it('reads whatever JSON writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        expect(parseJson(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('counts no colon in a text, nor a quote that is escaped', () => {
    expect(parseJson('{"a:b":"c\\":d","e":"\\\\","f:":[":"]}')).toEqual({
      'a:b': 'c":d',
      e: '\\',
      'f:': [':'],
    });
  });

  it.each([
    ['a name twice', '{"a":1,"a":2}'],
    ['a name twice, spelt otherwise', '{"a":1,"\\u0061":2}'],
    ['a name twice, far inside', '[{"b":[{"a":1,"a":1}]}]'],
    ['the prototype twice', '{"__proto__":1,"__proto__":{}}'],
    ['lists 33 deep', `${'['.repeat(33)}${']'.repeat(33)}`],
    ['objects a million deep', '{"a":'.repeat(1e6)],
    ['no JSON', '{a:1}'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });

  it('takes lists 32 deep', () => {
    expect(() => parseJson(`${'['.repeat(32)}${']'.repeat(32)}`)).not.toThrow();
  });
});
