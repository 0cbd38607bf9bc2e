import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import { renderCoverage } from './coverage.ts';
import { ApiError } from './errors.ts';
import type { Operation } from './operation.ts';
import { flag, optional, type Parameters, readParameters, structure } from './parameter.ts';
import { structuredText } from './rpc/flattened.ts';
import { decimal, line, listOf, maybe, objectOf, oneOf, required, textMap, whole, yesOrNo } from './shape.ts';

const RULES = listOf(
  objectOf({
    Kind: required(oneOf(['Table', 'Database']), 'level'),
    Name: required(line({ maxLength: 5 }), 'what it is called'),
    Count: maybe(whole({ min: 1, max: 9 }), 'how many', 'accepted and ignored'),
    Share: maybe(decimal({ min: 0, max: 1 }), 'how much'),
    On: maybe(yesOrNo, 'whether'),
    Tags: maybe(listOf(line({ maxLength: 3 }), { max: 2 }), 'words'),
    Free: maybe(textMap({ max: 2, maxLength: 3 }), 'anything'),
  }),
  { min: 1, max: 3 },
);
const SPECS = {
  Rules: structure({ meaning: 'rules', shape: RULES, maxLength: 2000 }),
  One: optional(structure({ meaning: 'one', shape: objectOf({ A: maybe(yesOrNo, 'a') }), maxLength: 100 })),
  Flag: optional(flag({ meaning: 'flag' })),
} satisfies Parameters;

function read(given: Record<string, string>) {
  return readParameters(SPECS, new Map(Object.entries(given)));
}

function refusal(given: Record<string, string>): string {
  try {
    read(given);
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.status, 400);
    return error.code === 'Invalid.DI.Parameter' ? error.message.replace('The parameter is invalid. ', '') : error.code;
  }
  return 'read';
}

const FULL = {
  Kind: 'Table',
  Name: 'a',
  Count: 3,
  Share: 0.5,
  On: true,
  Tags: ['x', 'y'],
  Free: { k: 'v', 'l.m-n': 'w' },
} as const;

test('reads a structured parameter as one JSON text', () => {
  assert.deepEqual(read({ Rules: JSON.stringify([FULL]), One: '{"A":false}', Flag: 'TRUE' }), {
    Rules: [FULL],
    One: { A: false },
    Flag: true,
  });
});

test('reads the same flattened, one parameter for each value, in any order', () => {
  const given = {
    'Rules.2.Name': 'b',
    'Rules.1.Kind': 'Table',
    'Rules.1.Name': 'a',
    'Rules.1.Count': '3',
    'Rules.1.Share': '0.5',
    'Rules.1.On': 'True',
    'Rules.1.Tags.1': 'x',
    'Rules.1.Tags.2': 'y',
    'Rules.1.Free': '{"k":"v","l.m-n":"w"}',
    'Rules.2.Kind': 'Database',
    'Rules.2.Count': '',
    'One.A': 'FALSE',
    RulesOther: 'x',
  };
  const second = { Kind: 'Database', Name: 'b', Count: null, Share: null, On: null, Tags: null, Free: null };
  assert.deepEqual(read(given), { Rules: [FULL, second], One: { A: false }, Flag: null });
});

test('reads JSON inside of what was flattened one level only', () => {
  const given = { 'Rules.1.Kind': 'Table', 'Rules.1.Name': 'a', 'Rules.1.Tags': '["x"]', 'Rules.1.Free': '{"k":"v"}' };
  const expected = { Kind: 'Table', Name: 'a', Count: null, Share: null, On: null, Tags: ['x'], Free: { k: 'v' } };
  assert.deepEqual(read(given).Rules, [expected]);
});

/** Objects, lists and texts as shapes have them: no empty ones, which cannot be told from missing ones. */
const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.string({ minLength: 1 }),
    fc.array(tie('tree'), { minLength: 1, maxLength: 12 }),
    fc.dictionary(fc.stringMatching(/^[A-Z][a-z]{0,3}$/), tie('tree'), {
      minKeys: 1,
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
}));

function flattened(value: Json, name: string): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[name, String(value)]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flattened(inner as Json, `${name}.${Array.isArray(value) ? Number(key) + 1 : key}`),
  );
}

test('what was flattened, in any order, comes back as it was', () => {
  const given = tree.filter((value) => typeof value === 'object');
  fc.assert(
    fc.property(
      given.chain((value) =>
        fc.tuple(
          fc.constant(value),
          fc.shuffledSubarray(flattened(value, 'X'), { minLength: flattened(value, 'X').length }),
        ),
      ),
      ([value, pairs]) => {
        assert.deepEqual(parseJson(structuredText('X', new Map(pairs))), value);
      },
    ),
  );
});

const object = 'object of Kind, Name, Count, Share, On, Tags, Free';
const one = (more: object) => ({ Rules: JSON.stringify([{ Kind: 'Table', Name: 'a', ...more }]) });
for (const [name, given, message] of [
  ['nothing', {}, 'MissingRules'],
  ['an empty text', { Rules: '' }, 'MissingRules'],
  ['no JSON', { Rules: '[{' }, 'Rules must be a JSON list: expected a key in double quotes at character 3.'],
  ['an object for a list', { Rules: '{"a":1}' }, `Rules must be a list of 1 to 3, each an ${object}.`],
  ['an empty list', { Rules: '[]' }, `Rules must be a list of 1 to 3, each an ${object}; there are 0.`],
  ['too many items', { Rules: '[1,1,1,1]' }, `Rules must be a list of 1 to 3, each an ${object}; there are 4.`],
  ['a number for an object', { Rules: '[1]' }, `Rules[1] must be an ${object}.`],
  ['an unknown key', one({ Nmae: 1 }), `Rules[1] must be an ${object}; "Nmae" is none of them.`],
  [
    'a missing key',
    { Rules: '[{"Kind":"Table"}]' },
    'Rules[1].Name is missing; it must be text of at most 5 characters.',
  ],
  ['an empty key', one({ Name: '' }), 'Rules[1].Name is missing; it must be text of at most 5 characters.'],
  ['a wrong choice', one({ Kind: 'table' }), 'Rules[1].Kind must be one of Table, Database.'],
  ['a long text', one({ Name: '123456' }), 'Rules[1].Name must be a text of at most 5 characters; it has 6.'],
  ['a control character', one({ Name: 'a\n' }), 'Rules[1].Name must hold no control character.'],
  ['a list for a text', one({ Name: [] }), 'Rules[1].Name must be a text of at most 5 characters.'],
  ['a number out of bounds', one({ Count: 10 }), 'Rules[1].Count must be a whole number from 1 to 9.'],
  ['a fraction', one({ Count: 1.5 }), 'Rules[1].Count must be a whole number from 1 to 9.'],
  ['a share too large', one({ Share: '1.1' }), 'Rules[1].Share must be a number from 0 to 1.'],
  ['a word for a flag', one({ On: 'yes' }), 'Rules[1].On must be true or false.'],
  [
    'a long word in a list',
    one({ Tags: ['x', 'long'] }),
    'Rules[1].Tags[2] must be a text of at most 3 characters; it has 4.',
  ],
  [
    'a map with a name that XML does not have',
    one({ Free: { 'a><b': 'x' } }),
    'Rules[1].Free must be an object of at most 2 texts, under names of letters, digits, _, . and -.',
  ],
  ['a map with a list', one({ Free: { a: [] } }), 'Rules[1].Free.a must be a text of at most 3 characters.'],
  [
    'a map too large',
    one({ Free: { a: '', b: '', c: '' } }),
    'Rules[1].Free must be an object of at most 2 texts, under names of letters, digits, _, . and -; there are 3.',
  ],
  [
    'both forms',
    { ...one({}), 'Rules.1.Name': 'a' },
    'Rules is given as one text and as Rules.… at once; send one of them.',
  ],
  ['a gap', { 'Rules.2.Name': 'a' }, 'Rules.1 is missing: the items of a list are counted from 1 without a gap.'],
  [
    'a value below a value',
    { 'Rules.1': 'x', 'Rules.1.Name': 'a' },
    'Rules.1.Name is given, and what stands before it has a value of its own.',
  ],
  [
    'a value above a value',
    { 'Rules.1.Name': 'a', 'Rules.1': 'x' },
    'Rules.1 has a value of its own, and others below it.',
  ],
  ['an empty step', { 'Rules..Name': 'a' }, 'Rules..Name must have no empty step.'],
  [
    'too many steps',
    { 'Rules.1.2.3.4.5.6.7.8.9.10.11': 'a' },
    'Rules.1.2.3.4.5.6.7.8.9.10.11 must have at most 10 steps behind its name.',
  ],
  [
    'a prototype',
    { 'One.__proto__': 'a', ...one({}) },
    'One must be a JSON object: the key __proto__ is not allowed at character 2.',
  ],
  [
    'too deep',
    { Rules: `${'['.repeat(13)}` },
    'Rules must be a JSON list: nested deeper than 12 levels at character 13.',
  ],
  ['too long', { Rules: `"${'x'.repeat(2000)}"` }, 'Rules must have at most 2000 characters; it has 2002.'],
  ['a wrong flag', { ...one({}), Flag: '1' }, 'Flag must be true or false.'],
] as const) {
  test(`refuses ${name}, and says where`, () => assert.equal(refusal(given), message));
}

test('the coverage page shows what is inside, with rule and note', () => {
  const operation: Operation = {
    name: 'X',
    version: 'v',
    summary: 's',
    access: 'read',
    throttled: 400,
    answer: [],
    notes: [],
    parameters: { Rules: SPECS.Rules },
    run: () => Promise.reject(new Error('not called')),
  };
  const lines = renderCoverage([operation]).split('\n');
  assert.ok(
    lines.includes('| Rules[].Name | string | yes | text of at most 5 characters | what it is called | served |'),
  );
  assert.ok(
    lines.includes('| Rules[].Count | long | no | whole number from 1 to 9 | how many | accepted and ignored |'),
  );
});
