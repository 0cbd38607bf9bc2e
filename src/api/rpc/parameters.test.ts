import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeParameters, mergeParameters } from './parameters.ts';
import { percentDecode, percentEncode } from './percent-encoding.ts';

test('reads names and values, percent-encoded, with plus for a space', () => {
  assert.deepEqual(
    [...decodeParameters('a=1&b=x+y%20z%2B&c=&d&%E8%A1%A8=%F0%9F%98%80')],
    [
      ['a', '1'],
      ['b', 'x y z+'],
      ['c', ''],
      ['d', ''],
      ['表', '😀'],
    ],
  );
});

test('decodes what it encoded, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => assert.equal(percentDecode(percentEncode(text)), text)),
  );
});

for (const [name, encoded] of [
  ['a broken escape', 'a=%zz'],
  ['an escape cut short', 'a=%e'],
  ['bytes that are no UTF-8', 'a=%ff'],
  ['an overlong form', 'a=%c0%af'],
  ['raw bytes', 'a=\u00e9'],
  ['a name given twice', 'a=1&a=1'],
  ['a name given twice in two spellings', 'a=1&%61=2'],
  ['too many names', Array.from({ length: 20_001 }, (_, index) => `n${index}=`).join('&')],
  ['a name that is too long', `${'n'.repeat(257)}=1`],
] as const) {
  test(`refuses ${name}`, () => {
    assert.throws(() => decodeParameters(encoded), { name: 'ApiError', status: 400, code: 'InvalidParameter' });
  });
}

test('refuses a name that both query and form have', () => {
  assert.deepEqual(
    [...mergeParameters(new Map([['a', '1']]), new Map([['b', '2']]))],
    [
      ['a', '1'],
      ['b', '2'],
    ],
  );
  assert.throws(() => mergeParameters(new Map([['a', '1']]), new Map([['a', '1']])), { code: 'InvalidParameter' });
});
