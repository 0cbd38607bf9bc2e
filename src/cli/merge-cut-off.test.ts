import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimeZone } from '../lib/time-zone.ts';
import { readCutOff } from './merge-cut-off.ts';

const SHANGHAI = new TimeZone('Asia/Shanghai');
const NOW = Date.parse('2024-03-01T17:30:00.500Z');

function cutOff(options: { day?: string; until?: string }): string {
  return new Date(readCutOff(options, SHANGHAI, NOW)).toISOString();
}

void test('a cut-off is the last midnight, the end of a day, or a minute, by the clock of the zone', () => {
  assert.equal(cutOff({}), '2024-03-01T16:00:00.000Z');
  assert.equal(cutOff({ day: '20240229' }), '2024-02-29T16:00:00.000Z');
  assert.equal(cutOff({ day: '2024-02-29' }), '2024-02-29T16:00:00.000Z');
  assert.equal(cutOff({ until: '2024-03-02T01:30' }), '2024-03-01T17:30:00.000Z');
  assert.equal(cutOff({ until: '2024-03-02 00:00:00' }), '2024-03-01T16:00:00.000Z');
});

void test('what is no time, or is still to come, is refused', () => {
  assert.throws(() => cutOff({ day: '20240302' }), /is still to come/);
  assert.throws(() => cutOff({ until: '2024-03-02T01:31' }), /is still to come/);
  for (const day of ['20240230', '2024', 'yesterday']) assert.throws(() => cutOff({ day }), /is no day/);
  for (const until of ['2024-01-01', '2024-01-01T24:00', '2024-01-01T00:60', '2024-01-01T00:00:01'])
    assert.throws(() => cutOff({ until }), /is no minute/);
});
