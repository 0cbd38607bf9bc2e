import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { DEFAULT_HOST_POLICY } from '../../lib/host-policy.ts';
import { type KafkaRecord, readTopic } from '../../../scripts/servers/kafka-reader.ts';
import { addPartitions, createTopic, deleteTopic } from '../../../test/support/kafka-tools.ts';
import { sharedKafka, type TestKafka } from '../../../test/support/kafka-under-test.ts';
import { batchOf, deletes, inserts, updates } from '../../../test/support/scripted-rows.ts';
import { newOwner, newTable, POLICIES } from '../../../test/support/sink-contract.ts';
import { isJsonObject, parseJson } from '../../lib/json.ts';
import type { Json, JsonObject } from '../../lib/json-value.ts';
import { type Logger, silentLog } from '../../lib/log.ts';
import type { Batch } from '../../pipeline/batch.ts';
import type { Checkpoint, CheckpointOwner, TableProgress } from '../../pipeline/checkpoint.ts';
import type { Policies } from '../../pipeline/policies.ts';
import type { TableVersion, ValueType } from '../../pipeline/table.ts';
import { kafkaConnector } from './connector.ts';
import { KafkaSink } from './sink.ts';
import { MemoryJournals } from '../../../test/support/memory-journals.ts';

const INT: ValueType = { kind: 'integer', bytes: 4, unsigned: false };
const TEXT: ValueType = { kind: 'text' };
const QUIET = { heartbeatSeconds: 0 };

void describe('the Kafka sink', () => {
  let kafka: TestKafka;
  before(async () => {
    kafka = await sharedKafka();
  });

  const settings = () => kafkaConnector.parseSettings({ address: `127.0.0.1:${kafka.port}` }, DEFAULT_HOST_POLICY);

  function open(
    options: JsonObject = {},
    owner: CheckpointOwner = newOwner(),
    policies: Policies = POLICIES,
    log = silentLog,
  ) {
    return new KafkaSink({
      settings: settings(),
      options: kafkaConnector.parseOptions({ ...QUIET, partitions: 2, replication: 1, ...options }),
      sourceName: 'shop_mysql',
      owner,
      policies,
      memoryBytes: 64 << 20,
      journal: new MemoryJournals().of(owner),
      log,
    });
  }

  /** A sink with one prepared table. */
  async function opened(options: JsonObject = {}, owner: CheckpointOwner = newOwner(), policies: Policies = POLICIES) {
    const table = newTable({ k: INT, v: TEXT }, ['k']);
    const target = { schema: '', table: `contract_${table.id.table}` };
    const sink = open(options, owner, policies);
    const recovered = await sink.recover();
    assert.deepEqual(await sink.prepare([{ table, target }]), []);
    return { table, target, topic: target.table, sink, owner, recovered };
  }

  /** What committed readers see once they see so many records: transactions become visible a moment after they are committed. */
  async function committed(topic: string, count: number): Promise<KafkaRecord[]> {
    for (const deadline = Date.now() + 5000; ; ) {
      const records = await readTopic(kafka, { topic });
      if (records.length >= count || Date.now() > deadline) return records;
    }
  }

  /** Op and the image's values of each record; records of one key in their order. */
  async function seen(topic: string, count: number): Promise<string[]> {
    const records = await committed(topic, count);
    return records.map(({ key, value }) => {
      const { op, before: old, after: now } = payloadOf(value);
      const image = isJsonObject(old) ? old : isJsonObject(now) ? now : null;
      return `${key?.toString()} ${String(op as string)} ${JSON.stringify(image?.['dataColumn'] ?? null)}`;
    });
  }

  const ofKey = (records: readonly string[], key: number) => records.filter((record) => record.startsWith(`${key} `));

  void it('shows committed readers the rows of a commit, and the next one its checkpoint', async () => {
    const { table, topic, sink, owner, recovered } = await opened();
    assert.equal(recovered, null);
    assert.equal(sink.holdsCheckpoint, true);
    await sink.write(
      batchOf(
        inserts(table, [
          [1, 'one'],
          [2, null],
        ]),
        inserts(table, [[3, 'three']], 'read'),
      ),
    );
    await sink.write(
      batchOf(
        updates(table, [
          [
            [1, 'one'],
            [1, 'eins'],
          ],
        ]),
        deletes(table, [[2, null]]),
      ),
    );
    assert.deepEqual(await readTopic(kafka, { topic, isolation: 'read_uncommitted' }), []);
    const first = checkpointOf(1, table);
    assert.deepEqual(await sink.commit(first), { failed: [], rowsWritten: 5 });
    const records = await seen(topic, 6);
    assert.deepEqual(ofKey(records, 1), [
      '1 INSERT {"k":1,"v":"one"}',
      '1 UPDATE_BEFOR {"k":1,"v":"one"}',
      '1 UPDATE_AFTER {"k":1,"v":"eins"}',
    ]);
    assert.deepEqual(ofKey(records, 2), ['2 INSERT {"k":2,"v":null}', '2 DELETE {"k":2,"v":null}']);
    assert.deepEqual(ofKey(records, 3), ['3 INSERT {"k":3,"v":"three"}']);
    assert.equal(records.length, 6);
    await sink.commit(checkpointOf(2, table));
    await sink.close();
    const next = open({}, owner);
    assert.deepEqual(await next.recover(), checkpointOf(2, table));
    await next.close();
    const other = open({}, { ...owner, incarnation: 'second' });
    assert.equal(await other.recover(), null);
    await other.close();
  });

  void it('is ended by the next one of its task: nothing of it is seen that was not committed', async () => {
    const { table, target, topic, sink, owner } = await opened();
    await sink.write(batchOf(inserts(table, [[1, 'one']])));
    await sink.commit(checkpointOf(1, table));
    await sink.write(batchOf(inserts(table, [[2, 'lost']])));
    const next = open({}, owner);
    assert.deepEqual(await next.recover(), checkpointOf(1, table));
    assert.deepEqual(await next.prepare([{ table, target }]), []);
    await assert.rejects(sink.commit(checkpointOf(2, table)), { kind: 'transient', code: 'Kafka.Fenced' });
    await assert.rejects(sink.write(batchOf()), { kind: 'transient', code: 'Kafka.Fenced' });
    await next.write(batchOf(inserts(table, [[2, 'two']])));
    await next.commit(checkpointOf(2, table));
    assert.deepEqual((await seen(topic, 2)).toSorted(), ['1 INSERT {"k":1,"v":"one"}', '2 INSERT {"k":2,"v":"two"}']);
    await sink.close();
    await next.close();
  });

  void it('goes on after an outage from its last checkpoint, with nothing from memory', async () => {
    const { table, target, topic, sink } = await opened();
    await sink.write(batchOf(inserts(table, [[1, 'one']])));
    await sink.commit(checkpointOf(1, table));
    await sink.write(batchOf(inserts(table, [[2, 'buffered']])));
    assert.deepEqual(await sink.recover(), checkpointOf(1, table));
    assert.deepEqual(await sink.prepare([{ table, target }]), []);
    assert.deepEqual(sink.load(), { rows: 0, bytes: 0, isFull: false });
    await sink.write(batchOf(inserts(table, [[2, 'two']])));
    await sink.commit(checkpointOf(2, table));
    assert.deepEqual((await seen(topic, 2)).toSorted(), ['1 INSERT {"k":1,"v":"one"}', '2 INSERT {"k":2,"v":"two"}']);
    await sink.close();
  });

  void it('keeps of each table what the checkpoint says, and forgets those that left', async () => {
    const { table, sink, owner } = await opened();
    const other = newTable({ k: INT }, ['k']);
    const both = { ...checkpointOf(1, table), tables: [progressOf(table, 1), progressOf(other, 1)] };
    await sink.commit(both);
    await sink.commit({ ...both, sequence: 2, tables: [progressOf(table, 2), progressOf(other, 1)] });
    await sink.commit({ ...both, sequence: 3, tables: [progressOf(table, 2)] });
    await sink.close();
    const next = open({}, owner);
    assert.deepEqual(await next.recover(), { ...both, sequence: 3, tables: [progressOf(table, 2)] });
    await next.close();
    const { installation, task } = owner;
    await kafkaConnector.forget({ settings: settings(), installation, task });
    const last = open({}, owner);
    assert.equal(await last.recover(), null);
    await last.close();
  });

  void it('takes no more of a table that was dropped, and makes it ready again', async () => {
    const { table, target, topic, sink } = await opened();
    await sink.write(batchOf(inserts(table, [[1, 'one']])));
    sink.drop(table.id);
    await sink.write(batchOf(inserts(table, [[2, 'two']])));
    assert.deepEqual(await sink.commit(checkpointOf(1, table)), { failed: [], rowsWritten: 0 });
    assert.deepEqual(await sink.prepare([{ table, target }]), []);
    await sink.write(batchOf(inserts(table, [[3, 'three']])));
    await sink.commit(checkpointOf(2, table));
    assert.deepEqual(await seen(topic, 1), ['3 INSERT {"k":3,"v":"three"}']);
    await sink.close();
  });

  void it('stops a table whose topic was deleted, also after a restart, until it is tried again', async () => {
    const { table, target, topic, sink, owner } = await opened();
    await sink.write(batchOf(inserts(table, [[1, 'one']])));
    await sink.commit(checkpointOf(1, table));
    await sink.close();
    await deleteTopic(kafka, topic);
    await createTopic(kafka, topic);
    const next = open({}, owner);
    assert.equal((await next.recover())?.sequence, 1);
    const failed = await next.prepare([{ table, target }]);
    assert.deepEqual(
      failed.map(({ table: id, error }) => [id, error.kind, error.code]),
      [[table.id, 'table', 'Kafka.TopicMissing']],
    );
    next.drop(table.id);
    assert.deepEqual(await next.prepare([{ table, target }]), []);
    await next.write(batchOf(inserts(table, [[1, 'again']])));
    await next.commit(checkpointOf(2, table));
    assert.deepEqual(await seen(topic, 1), ['1 INSERT {"k":1,"v":"again"}']);
    await next.close();
  });

  void it('warns that a topic has more partitions than when it was written (G6)', async () => {
    const { table, target, topic, sink, owner } = await opened();
    await sink.write(batchOf(inserts(table, [[1, 'one']])));
    await sink.commit(checkpointOf(1, table));
    await sink.close();
    await addPartitions(kafka, topic, 5);
    const warnings: unknown[] = [];
    const log: Logger = { ...silentLog, warn: (facts, event) => void warnings.push([facts, event]) };
    const next = open({}, owner, POLICIES, log);
    assert.equal((await next.recover())?.sequence, 1);
    assert.deepEqual(await next.prepare([{ table, target }]), []);
    const told = 'the topic has more partitions than before: changes of one row may be in two of them';
    assert.deepEqual(warnings, [[{ topic, before: 2, partitions: 5 }, told]]);
    await next.close();
  });

  void it('counts a row that is longer than its topic takes, and stops when they are too many (G5)', async () => {
    const { table, topic, sink } = await opened({}, newOwner(), { ...POLICIES, errorLimit: 1 });
    const long = 'x'.repeat(1_100_000);
    await sink.write(
      batchOf(
        inserts(table, [
          [1, 'one'],
          [2, long],
          [3, 'three'],
        ]),
      ),
    );
    assert.equal(sink.dirtyRows, 1);
    await sink.commit(checkpointOf(1, table));
    assert.deepEqual((await seen(topic, 2)).toSorted(), ['1 INSERT {"k":1,"v":"one"}', '3 INSERT {"k":3,"v":"three"}']);
    await assert.rejects(sink.write(batchOf(inserts(table, [[4, long]]))), {
      kind: 'fatal',
      code: 'Sink.DirtyRowsExceeded',
      message:
        /^2 dirty rows, the last of `.*`: its record has 11\d{5} bytes, and the topic .* takes 1048588\. errorLimit\.record allows 1$/,
    });
    await sink.close();
  });

  void it('takes a long row that fits once it is compressed, and counts one that does not', async () => {
    const policies = { ...POLICIES, errorLimit: 1 };
    const { table, topic, sink } = await opened({ compression: 'zstd' }, newOwner(), policies);
    const [even, random] = ['x'.repeat(5_000_000), randomBytes(1_500_000).toString('hex')];
    await sink.write(
      batchOf(
        inserts(table, [
          [1, 'one'],
          [2, even],
          [3, random],
          [4, 'four'],
        ]),
      ),
    );
    assert.equal(sink.dirtyRows, 1);
    await sink.write(
      batchOf(
        updates(table, [
          [
            [2, even],
            [2, 'two'],
          ],
        ]),
      ),
    );
    await sink.commit(checkpointOf(1, table));
    const lengths = (await committed(topic, 5)).map(({ key, value }) => [
      key?.toString(),
      (value?.length ?? 0) > 5_000_000,
    ]);
    assert.deepEqual(
      lengths.toSorted((a, b) => String(a).localeCompare(String(b))),
      [
        ['1', false],
        ['2', false],
        ['2', true],
        ['2', true],
        ['4', false],
      ],
    );
    await sink.close();
  });

  void it('says to every partition how far it is, when nothing comes (G12)', async () => {
    let now = 1_700_000_000_000;
    const owner = newOwner();
    const table = newTable({ k: INT }, ['k']);
    const topic = `contract_${table.id.table}`;
    const sink = new KafkaSink(
      {
        settings: settings(),
        options: kafkaConnector.parseOptions({ partitions: 3, replication: 1, heartbeatSeconds: 10 }),
        sourceName: 'shop_mysql',
        owner,
        policies: POLICIES,
        memoryBytes: 64 << 20,
        journal: new MemoryJournals().of(owner),
        log: silentLog,
      },
      { now: () => now },
    );
    await sink.recover();
    await sink.prepare([{ table, target: { schema: '', table: topic } }]);
    const idle: Batch = { ...batchOf(), caughtUp: true };
    await sink.write(idle);
    assert.equal(sink.load().rows, 0);
    now += 10_000;
    await sink.write({ ...idle, transactionEnd: false });
    assert.equal(sink.load().rows, 0);
    await sink.write(idle);
    await sink.write(idle);
    assert.equal(sink.load().rows, 1);
    await sink.commit(checkpointOf(1, table));
    const beats = (await committed(topic, 3)).map(({ partition, value }) => [partition, payloadOf(value)]);
    const payload = {
      before: null,
      after: null,
      sequenceId: null,
      op: 'MHEARTBEAT',
      timestamp: { eventTime: now, checkpointTime: now },
      ddl: null,
    };
    assert.deepEqual(
      beats.toSorted(([a], [b]) => Number(a) - Number(b)),
      [0, 1, 2].map((partition) => [partition, payload]),
    );
    await sink.close();
  });

  for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    void it(`writes what readers read, compressed by ${compression}`, async () => {
      const { table, topic, sink } = await opened({ compression });
      const rows = Array.from({ length: 3000 }, (_, index) => [index, `row ${index} `.repeat(20)] as const);
      await sink.write(batchOf(inserts(table, rows)));
      await sink.commit(checkpointOf(1, table));
      const expected = rows.map(([k, v]) => `${k} INSERT ${JSON.stringify({ k, v })}`);
      assert.deepEqual((await seen(topic, 3000)).toSorted(), expected.toSorted());
      await sink.close();
    });
  }
});

function payloadOf(value: Buffer | null): { op: Json; before: Json; after: Json } {
  const record = parseJson(value?.toString() ?? 'null');
  const payload = isJsonObject(record) ? record['payload'] : null;
  if (!isJsonObject(payload)) throw new Error('not a record of DataWorks');
  return payload as { op: Json; before: Json; after: Json };
}

function progressOf(table: TableVersion, chunksDone: number): TableProgress {
  const { id } = table;
  return { table: id, state: 'STREAMING', chunksDone, chunksAll: 2, rows: 7, failure: null, resume: { of: id.table } };
}

function checkpointOf(sequence: number, table: TableVersion): Checkpoint {
  return { sequence, offset: { at: sequence }, version: 3, tables: [progressOf(table, 1)] };
}
