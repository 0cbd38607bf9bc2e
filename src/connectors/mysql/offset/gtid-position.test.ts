import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GtidPosition } from './gtid-position.ts';

void test('a position holds the last transaction of each domain, whichever server wrote it (C20)', () => {
  const position = GtidPosition.parse('1-7-3,\n0-1-10');
  position.add({ source: '0-2', number: 11n });
  assert.equal(position.toString(), '0-2-11,1-7-3');
  for (const [source, number] of [
    ['0-2', 12n],
    ['1-7', 4n],
    ['0-1', 13n],
    ['0-2', 14n],
    ['0-1', 15n],
  ] as const)
    position.add({ source, number });
  assert.equal(position.toString(), '0-1-15,1-7-4');
  assert.equal(GtidPosition.parse('0-1-10,0-2-11').toString(), '0-2-11');
  assert.equal(GtidPosition.parse('10-1-18446744073709551615,9-1-1').toString(), '9-1-1,10-1-18446744073709551615');
  assert.equal(GtidPosition.parse(' ').toString(), '');
  for (const text of ['0-1', '0-1-x', 'a-1-1', '0-1-1-1'])
    assert.throws(() => GtidPosition.parse(text), /is no GTID of MariaDB/, text);
});

void test('missing is what another position has not come to, or has from another server', () => {
  const ours = GtidPosition.parse('0-1-10,1-1-5,2-1-1');
  const missing = (text: string) => ours.missingIn(GtidPosition.parse(text));
  assert.deepEqual(missing('0-1-10,1-1-5,2-1-1,9-9-9'), []);
  assert.deepEqual(missing('0-2-11,1-1-6,2-1-1'), []);
  assert.deepEqual(missing('0-2-10,1-1-4'), ['0-1-10', '1-1-5', '2-1-1']);
});
