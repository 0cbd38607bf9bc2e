import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GtidSet } from './gtid-set.ts';

const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const B = '4e11fa47-71ca-11e1-9e33-c80aa9429562';

const contains = (text: string, number: bigint) => GtidSet.parse(text).has({ source: A, number });

void test('a set prints what it read, without white space and in order (C6)', () => {
  assert.equal(
    GtidSet.parse(` ${B.toUpperCase()}:1-2:Tag:1-3:7,\n ${A}:1-5:7,\n`).toString(),
    `${A}:1-5:7,${B}:1-2,${B}:tag:1-3:7`,
  );
  assert.equal(GtidSet.parse('').toString(), '');
  assert.equal(GtidSet.parse(`${A}:5-3,${B}:1`).toString(), `${B}:1`);
});

void test('what is no set is refused', () => {
  for (const text of ['x', A, `${A}:`, `${A}:0`, `${A}:1-`, `${A}:-1`, `${A}:1:2x`, `${A}:1.5`, `u:1`, `${A} 1`])
    assert.throws(() => GtidSet.parse(text), /is no part of a GTID set/, text);
});

void test('a number that closes a gap joins its neighbours', () => {
  const set = GtidSet.parse(`${A}:1-5:8-9`);
  set.add({ source: A, number: 7n });
  set.add({ source: A, number: 6n });
  set.add({ source: A, number: 3n });
  assert.equal(set.toString(), `${A}:1-9`);
});

void test('a gap is not contained (C5)', () => {
  assert.deepEqual(
    [5n, 6n, 7n, 8n].map((number) => contains(`${A}:1-5:8-9`, number)),
    [true, false, false, true],
  );
});

void test('numbers up to the greatest are exact', () => {
  const greatest = 9223372036854775806n;
  assert.equal(contains(`${A}:9223372036854775805-9223372036854775806`, greatest), true);
  assert.equal(contains(`${A}:9223372036854775804`, greatest - 1n), false);
  assert.equal(
    GtidSet.parse(`${A}:1-9223372036854775806`)
      .subtract(GtidSet.parse(`${A}:9007199254740993`))
      .toString(),
    `${A}:1-9007199254740992:9007199254740994-9223372036854775806`,
  );
});

/** The same set twice: as its members, and as what is to be tested. */
const sets = fc
  .array(
    fc.record({ source: fc.constantFrom(A, B, `${A}:tag`), from: fc.integer({ min: 1, max: 40 }), length: fc.nat(9) }),
    {
      maxLength: 12,
    },
  )
  .map((parts) => {
    const members = new Set<string>();
    for (const { source, from, length } of parts)
      for (let number = from; number <= from + length; number += 1) members.add(`${source}:${number}`);
    return { members, set: GtidSet.parse(parts.map((p) => `${p.source}:${p.from}-${p.from + p.length}`).join(',')) };
  });

const setOf = (members: Set<string>) => GtidSet.parse([...members].join(',')).toString();

void test('union, difference, intersection and containment are those of the members, whatever the intervals', () => {
  fc.assert(
    fc.property(sets, sets, (a, b) => {
      assert.equal(a.set.union(b.set).toString(), setOf(a.members.union(b.members)));
      assert.equal(a.set.subtract(b.set).toString(), setOf(a.members.difference(b.members)));
      assert.equal(a.set.intersect(b.set).toString(), setOf(a.members.intersection(b.members)));
      assert.equal(a.set.contains(b.set), a.members.isSupersetOf(b.members));
      assert.equal(a.set.isEmpty, a.members.size === 0);
      assert.equal(GtidSet.parse(a.set.toString()).toString(), a.set.toString());
      for (let number = 1n; number < 52n; number += 1n)
        assert.equal(a.set.has({ source: A, number }), a.members.has(`${A}:${number}`));
    }),
    { numRuns: 300 },
  );
});

void test('intervals are as few and as long as can be, in whatever order numbers come', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (numbers) => {
      const set = new GtidSet();
      for (const number of numbers) set.add({ source: A, number: BigInt(number) });
      const sorted = [...new Set(numbers)].toSorted((a, b) => a - b);
      const runs = sorted.filter((number) => !sorted.includes(number - 1)).length;
      assert.equal(set.toString().split(':').length - 1, runs);
    }),
    { numRuns: 200 },
  );
});
