import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LinearRegex } from './linear-regex.ts';
import { RegexError } from './regex-syntax.ts';

/** Patterns of everything that is served, over few characters, so that they match often. */
const { pattern } = fc.letrec<{ pattern: string; branch: string; piece: string; atom: string }>((tie) => ({
  pattern: fc.array(tie('branch'), { minLength: 1, maxLength: 3 }).map((branches) => branches.join('|')),
  branch: fc.array(tie('piece'), { maxLength: 4 }).map((pieces) => pieces.join('')),
  piece: fc.oneof(
    { depthSize: 'small' },
    tie('atom'),
    fc
      .tuple(
        tie('atom'),
        fc.constantFrom('*', '+', '?', '{2}', '{0}', '{1,}', '{0,2}', '{1,3}', '*?', '+?', '??', '{2,}?'),
      )
      .map((parts) => parts.join('')),
    fc.constantFrom('^', '$'),
  ),
  atom: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(
      'a',
      'b',
      'B',
      '_',
      '1',
      '.',
      '-',
      '表',
      '😀',
      '\\d',
      '\\w',
      '\\W',
      '\\D',
      '\\s',
      '\\S',
      '\\.',
      '\\x61',
      '\\u0062',
    ),
    fc.constantFrom(
      '[ab]',
      '[^ab]',
      '[a-c_]',
      '[^\\d-]',
      '[\\w.]',
      '[-a]',
      '[A-C]',
      '[]',
      '[^]',
      '[表-😀]',
      '[\\x41\\]^]',
      '\\u{1F600}',
    ),
    tie('pattern').map((inner) => `(${inner})`),
    tie('pattern').map((inner) => `(?:${inner})`),
  ),
}));
const text = fc.string({
  unit: fc.constantFrom('a', 'b', 'c', 'A', 'B', '_', '1', '.', '-', '^', ']', ' ', '\n', '表', '😀'),
  maxLength: 6,
});

for (const ignoreCase of [false, true]) {
  test(`matches what JavaScript's own expressions match${ignoreCase ? ', in any case' : ''}`, (t) => {
    const seed = Date.now();
    t.diagnostic(`seed ${seed}`);
    let matched = 0;
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 8 }), (source, texts) => {
        const theirs = new RegExp(`^(?:${source})$`, ignoreCase ? 'sui' : 'su');
        const ours = new LinearRegex(source, { ignoreCase });
        for (const one of texts) {
          if (theirs.test(one)) matched += 1;
          assert.equal(ours.matches(one), theirs.test(one), `${source} on ${JSON.stringify(one)}`);
          assert.ok(ours.work <= ours.size * (Array.from(one).length + 1));
        }
      }),
      { numRuns: 2000, seed },
    );
    assert.ok(matched > 500, `only ${matched} texts matched: the patterns are too odd to say anything`);
  });
}

test('case is ignored as Unicode folds single characters, whichever of them the pattern has', () => {
  const letters = Array.from('sSſßẞkKKiIıİσςΣåÅÅµμdžDžDŽ𐐀𐐨');
  for (const one of letters)
    for (const other of letters)
      assert.equal(
        new LinearRegex(one, { ignoreCase: true }).matches(other),
        new RegExp(`^${one}$`, 'ui').test(other),
        `${one} on ${other}`,
      );
});

test('patterns that take others for ever take a step for each place and character', () => {
  const text = `${'a'.repeat(64)}!`;
  for (const pattern of ['(a+)+', '(a*)*b', '(a|aa)+$', '(a|a?)+b', '(.*a){20}', '((a?){30}){30}', '([a-z]+)*\\d']) {
    const regex = new LinearRegex(pattern);
    assert.equal(regex.matches(text), false);
    assert.ok(regex.work <= regex.size * 66, `${pattern}: ${regex.work} steps for ${regex.size} places`);
  }
});

test('nothing repeated is nothing, at no cost', () => {
  const regex = new LinearRegex(`${'('.repeat(40)}${'){1000}'.repeat(40)}a`);
  assert.deepEqual([regex.matches('a'), regex.matches(''), regex.size], [true, false, 2]);
});

for (const [pattern, message] of [
  ['a(?=b)', 'look-around, which is not served at character 2'],
  ['(?<!a)b', 'look-around, which is not served at character 1'],
  ['(a)\\1', 'a back reference, which is not served at character 4'],
  ['(?<x>a)\\k<x>', 'a back reference, which is not served at character 8'],
  ['a\\b', 'the escape \\b, which is not served at character 2'],
  ['\\p{L}', 'the escape \\p, which is not served at character 1'],
  ['(?i)a', 'a group of a sort that is not served at character 1'],
  ['(a', 'a ( without its ) at character 1'],
  ['a)', 'a ) without its ( at character 2'],
  ['[a', 'a [ without its ] at character 1'],
  ['a]', 'a ] by itself; write \\] for the character itself at character 2'],
  ['*a', 'nothing to repeat at character 1'],
  ['a**', 'nothing to repeat at character 3'],
  ['a++', 'nothing to repeat at character 3'],
  ['^*', 'nothing to repeat at character 2'],
  ['a{', 'a { that begins no count, such as {2,5}; write \\{ for the character itself at character 2'],
  ['a{,2}', 'a { that begins no count, such as {2,5}; write \\{ for the character itself at character 2'],
  ['a{3,2}', 'a count whose end is before its begin at character 2'],
  ['a{1001}', 'a count of more than 1000 at character 2'],
  ['[z-a]', 'a range that does not go from a character to a later one at character 2'],
  ['[\\d-z]', 'a range that does not go from a character to a later one at character 2'],
  ['a\\', 'a \\ with nothing behind it at character 2'],
  ['\\u12', 'a \\u that no code follows at character 1'],
  ['\\u{110000}', 'a \\u that no code follows at character 1'],
  ['😀*)', 'a ) without its ( at character 3'],
  ['(a{1000}){1000}', 'a pattern that comes to more than 5000 steps, its counts written out, at character 1'],
  [
    '(((a{100}){100}){100}){100}',
    'a pattern that comes to more than 5000 steps, its counts written out, at character 1',
  ],
  ['('.repeat(60), 'groups nested deeper than 50 at character 52'],
  ['a'.repeat(4001), 'a pattern of more than 4000 characters at character 4001'],
] as const) {
  test(`refuses ${pattern.slice(0, 40)}, and says where`, () => {
    assert.throws(
      () => new LinearRegex(pattern),
      (error) => error instanceof RegexError && error.message === message,
    );
  });
}
