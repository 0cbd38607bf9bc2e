import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, DEFAULT_JSON_LIMITS, JsonError, parseJson, parseJsonObject, stringifyJson } from './json.ts';
import type { Json } from './json-value.ts';

test('reads every kind of value', () => {
  assert.deepEqual(parseJson(' {"a":[1,-2.5,1e3,true,false,null,"x\\n\\u00e9\\ud83d\\ude00",{}, []]}\n'), {
    a: [1, -2.5, 1000, true, false, null, 'x\né😀', {}, []],
  });
});

test('keeps 64-bit integers exact, in and out', () => {
  const text = '{"max":9223372036854775807,"min":-9223372036854775808,"safe":9007199254740991,"next":9007199254740992}';
  assert.deepEqual(parseJson(text), {
    max: 9223372036854775807n,
    min: -9223372036854775808n,
    safe: 9007199254740991,
    next: 9007199254740992n,
  });
  assert.equal(stringifyJson(parseJson(text)), text);
});

test('agrees with JSON.parse on any JSON text', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6, stringUnit: 'grapheme' }), (text) => {
      const expected: unknown = JSON.parse(text);
      if (/__proto__/.test(text) || !text.isWellFormed()) return;
      assert.deepEqual(JSON.parse(stringifyJson(parseJson(text))), expected);
    }),
    { numRuns: 500 },
  );
});

const refused: [name: string, text: string, message: RegExp][] = [
  ['nothing', '', /expected a value at character 1$/],
  ['a word', 'nul', /expected a value at character 1$/],
  ['rest after the end', '{} x', /expected the end at character 4$/],
  ['a trailing comma', '[1,]', /expected a value at character 4$/],
  ['a missing comma', '[1 2]', /expected a comma or \] at character 4$/],
  ['a missing colon', '{"a" 1}', /expected : at character 6$/],
  ['an unquoted key', '{a:1}', /expected a key in double quotes at character 2$/],
  ['an open string', '["abc', /without its closing quote at character 2$/],
  ['an open escape', '"abc\\"', /without its closing quote/],
  ['a raw line break in a string', '"a\nb"', /control character inside a string at character 3$/],
  ['an unknown escape', '"\\x"', /unknown escape/],
  ['half a character', '"\\ud800"', /half a character/],
  ['a leading zero', '01', /expected the end at character 2$/],
  ['a plus sign', '+1', /expected a value/],
  ['infinity', '1e999', /out of range/],
  ['a million digits', '1'.repeat(1_000_000), /too many digits/],
  ['a repeated key', '{"a":1,"a":2}', /same key twice in one object at character 8$/],
  ['a prototype', '{"__proto__":{"x":1}}', /__proto__ is not allowed/],
  ['a prototype by escape', '{"\\u005f_proto__":{"x":1}}', /__proto__ is not allowed/],
  ['depth', '['.repeat(100_000), /nested deeper than 32 levels at character 33$/],
];
for (const [name, text, message] of refused) {
  test(`refuses ${name}`, () => {
    assert.throws(() => parseJson(text), { name: 'JsonError', message });
  });
}

test('takes 32 levels, and refuses more values than the limit', () => {
  assert.doesNotThrow(() => parseJson('['.repeat(32) + ']'.repeat(32)));
  assert.throws(() => parseJson('[1,2,3]', { ...DEFAULT_JSON_LIMITS, nodes: 3 }), /more than 3 values/);
});

test('never quotes the text that it refuses', () => {
  assert.throws(
    () => parseJson('{"password":"s3cret" "x"}'),
    (error: Error) => error instanceof JsonError && !error.message.includes('s3cret'),
  );
});

test('wants an object where an object is due', () => {
  assert.throws(() => parseJsonObject('[1]'), /expected an object/);
});

test('canonical JSON sorts keys at every level and keeps the order of lists', () => {
  assert.equal(canonicalJson({ b: [2, 1], a: { d: 1n, c: 'x' } }), '{"a":{"c":"x","d":1},"b":[2,1]}');
});

test('refuses to write what JSON cannot say', () => {
  assert.throws(() => stringifyJson(Number.NaN), TypeError);
});

test('reads a task of 1,000 tables of 20 columns in far less than a second', () => {
  const columns = Array.from({ length: 20 }, (_, index) => ({
    name: `column_${index}`,
    index,
    type: 'int8',
    comment: 'a "quoted" comment',
    columnSize: 20,
    digit: 0,
    newDigit: true,
    primaryKey: index === 0,
  }));
  const tables = Array.from({ length: 1000 }, (_, index) => ({ srcTable: `t_${index}`, dataColumn: columns }));
  const value: Json = { steps: [{ tables }] };
  const text = stringifyJson(value);
  const start = performance.now();
  assert.deepEqual(parseJson(text), value);
  assert.ok(performance.now() - start < 1000);
});

test('writes long texts as the platform does, whatever they hold', () => {
  const unit = fc.constantFrom('"', '\\', 'a', ' ', '{', '\n', '\u0000', '\u007f', '\u0080', 'é', '😀', '\u2028');
  const ascii = fc.constantFrom('"', '\\', 'a', ' ', '~', '/');
  const long = (of: fc.Arbitrary<string>) => fc.string({ unit: of, minLength: 500, maxLength: 3000 });
  const text = fc.oneof(
    long(ascii),
    long(unit),
    fc.tuple(long(ascii), unit).map((parts) => parts.join('')),
  );
  fc.assert(fc.property(text, (value) => stringifyJson(value) === JSON.stringify(value)));
  for (const length of [511, 512, 65_536, 65_537]) {
    assert.equal(stringifyJson('"'.repeat(length)), JSON.stringify('"'.repeat(length)));
  }
});
