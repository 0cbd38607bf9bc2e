import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomOf } from '../../../bench/workload.ts';
import { decodeLog } from '../../../test/support/decode-input.ts';
import { eventOf, framed } from '../../../test/support/log-bytes.ts';
import { buildLog, GROWING } from '../../../test/support/log-grammar.ts';
import * as ev from './protocol/event.ts';

/** [ table id 6 ][ flags 2 ], and the map of a table `g.o` whose one column is of a type that no server has yet. */
const HEAD = Buffer.from([9, 0, 0, 0, 0, 0, 1, 0]);
const UNKNOWN_MAP = Buffer.concat([HEAD, Buffer.from([1, 0x67, 0, 1, 0x6f, 0, 1, 200, 3, 1, 2, 3, 1])]);
const UNKNOWN_ROWS = Buffer.concat([HEAD, Buffer.from([2, 0, 1, 0xff, 0, 1, 2, 3, 4, 5])]);

test('rows of a table that is not captured are passed over, whatever their types are (A14)', async () => {
  const { payloads, images } = buildLog(randomOf(1), [], { huge: false, compressed: 'no', damage: 'none' });
  const others = [eventOf(ev.TABLE_MAP, UNKNOWN_MAP, 500), eventOf(ev.WRITE_ROWS_V2, UNKNOWN_ROWS, 600)];
  const decoded = await decodeLog([framed([...others, ...payloads])], {
    tables: [GROWING],
    charsets: { 33: 'utf8mb3', 63: 'binary' },
    server: 'MySQL 9.7.4',
  });
  assert.equal(decoded.error, null);
  assert.equal(decoded.images.length, images);
  assert.ok(images > 0);
});
