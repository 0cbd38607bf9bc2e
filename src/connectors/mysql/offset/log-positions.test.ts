import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { groupAt, logEventsOf } from '../../../../test/support/decode-input.ts';
import { eventOf, framed, repaired } from '../../../../test/support/log-bytes.ts';
import { BinlogReader } from '../binlog-reader.ts';
import { describePosition } from './position.ts';
import * as ev from '../protocol/event.ts';
import { RawConnection } from '../protocol/raw-connection.ts';

const GIB = 2 ** 30;

/** Where a resume would begin after each of these events, read from `start` of `file` on. */
async function boundaries(start: number, payloads: readonly Buffer[], file = 'binlog.000001'): Promise<string[]> {
  const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  const from = { file, position: start };
  const reader = BinlogReader.over(new RawConnection(socket), from, { checksum: true });
  const group = groupAt(from, 'mysql');
  const events = logEventsOf([], {}, 'mysql', group);
  socket.push(framed(payloads));
  const found: string[] = [];
  for (let index = 0; index < payloads.length; index += 1) {
    while (!reader.take()) await reader.more();
    await events.handle(reader, []);
    found.push(describePosition(group.boundary).replace('binlog.00000', ''));
    reader.release();
  }
  reader.close();
  return found;
}

/** [ thread 4 ][ seconds 4 ][ length of database 1 ][ error 2 ][ length of status 2 ][ database ][ 0 ][ statement ] */
const query = (sql: string, end: number) =>
  eventOf(ev.QUERY, Buffer.concat([Buffer.alloc(13), Buffer.from([0]), Buffer.from(sql)]), end);
const commit = (end: number) => eventOf(ev.XID, Buffer.alloc(8), end);
/** Its body names the file that is read. */
const heartbeat = (at: number) => eventOf(ev.HEARTBEAT, Buffer.from('binlog.000001'), at);
const rotate = (file: string, position: number, end: number) => {
  const place = Buffer.alloc(8);
  place.writeBigUInt64LE(BigInt(position));
  return eventOf(ev.ROTATE, Buffer.concat([place, Buffer.from(file)]), end);
};
/** As the server makes it up for us: it is not in the log. */
const artificial = (event: Buffer) => {
  event.writeUInt16LE(ev.FLAG_ARTIFICIAL, 18);
  return repaired(event, { length: true });
};

test('a heartbeat moves the place only between transactions, and never back (C32, C33)', async () => {
  const log = [
    heartbeat(500),
    query('BEGIN', 600),
    heartbeat(600),
    heartbeat(900),
    commit(700),
    heartbeat(650),
    heartbeat(800),
  ];
  assert.deepEqual(await boundaries(400, log), ['1:500', '1:500', '1:500', '1:500', '1:700', '1:700', '1:800']);
});

test('a rotation leads to the place in the next file that it names, whatever its own position is (C16)', async () => {
  const log = [commit(700), rotate('binlog.000002', 4, 760), commit(300)];
  assert.deepEqual(await boundaries(400, log), ['1:700', '2:4', '2:300']);
});

test('the rotation that the server makes up at the begin of a stream says the place that was asked for (C15)', async () => {
  const log = [artificial(rotate('binlog.000001', 400, 0)), commit(700)];
  assert.deepEqual(await boundaries(400, log), ['1:400', '1:700']);
});

test('an event without a position, or made up by the server, moves nothing (C17)', async () => {
  const log = [commit(0), artificial(commit(9000)), commit(700)];
  assert.deepEqual(await boundaries(400, log), ['1:400', '1:400', '1:700']);
});

test('positions of 2 GiB and more are not negative, and beyond 4 GiB they go on (C18, C19)', async () => {
  const wrapped = (position: number) => position % 2 ** 32;
  // No event is longer than 1 GiB.
  const places = [3 * GIB, 4 * GIB - 1, 4 * GIB + 100, 5 * GIB, 6 * GIB, 7 * GIB, 8 * GIB + 1, 9 * GIB];
  assert.deepEqual(
    await boundaries(
      2 * GIB,
      places.map((place) => commit(wrapped(place))),
    ),
    places.map((place) => `1:${place}`),
  );
});
