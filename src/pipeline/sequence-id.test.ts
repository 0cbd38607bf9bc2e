import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogPlace } from './batch.ts';
import { SEQUENCE_ID_BYTES, setSequenceRow, writeSequenceId } from './sequence-id.ts';

function idOf(place: Pick<LogPlace, 'epoch' | 'fileNumber' | 'position' | 'within'>, row: number): string {
  const whole: LogPlace = { ...place, server: { system: 'mysql', version: '9.7.4', id: 1 }, file: 'f', gtid: null };
  const bytes = new Uint8Array(SEQUENCE_ID_BYTES);
  const view = new DataView(bytes.buffer);
  setSequenceRow(view, writeSequenceId(view, 0, whole, 0), whole, row);
  return Buffer.from(bytes).toString('latin1');
}

void test('a sequenceId is the place in the log and the row, in 32 digits', () => {
  const place = { epoch: 1, fileNumber: 23, position: 456, within: 0 };
  assert.equal(idOf(place, 0), '00100000230000000004560000000000');
  assert.equal(idOf(place, 7), '00100000230000000004560000000007');
});

void test('rows of a packed transaction beyond 2 GiB sort behind those before', () => {
  const place = { epoch: 0, fileNumber: 1, position: 5_000_000_000 };
  const withins = [2 ** 31 - 2, 2 ** 31, 2 ** 32, 9_999_999_990];
  assert.deepEqual(
    withins.map((within) => idOf({ ...place, within }, 5)),
    ['2147483651', '2147483653', '4294967301', '9999999995'].map((row) => `0000000001005000000000${row}`),
  );
});
