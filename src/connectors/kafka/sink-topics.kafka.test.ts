import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { checkpointOf, openKafkaSink, progressOf, toTopic } from '../../../test/support/kafka-sink-under-test.ts';
import { createTopic, deleteTopic } from '../../../test/support/kafka-tools.ts';
import { sharedKafka, type TestKafka } from '../../../test/support/kafka-under-test.ts';
import { batchOf, inserts, SCRIPTED_PLACE } from '../../../test/support/scripted-rows.ts';
import { uniqueName } from '../../../test/support/servers.ts';
import { newOwner, newTable } from '../../../test/support/sink-contract.ts';
import type { DdlPart } from '../../pipeline/batch.ts';
import type { FailedTables } from '../../pipeline/sink.ts';
import type { ValueType } from '../../pipeline/table.ts';

const INT: ValueType = { kind: 'integer', bytes: 4, unsigned: false };
const aTable = () => newTable({ k: INT }, ['k']);
const codesOf = (failed: FailedTables) => failed.map(({ table, error }) => [table.table, error.code]);

void describe('topics of the Kafka sink', () => {
  let kafka: TestKafka;
  before(async () => {
    kafka = await sharedKafka();
  });

  void it('make a table anew whose topic is gone, when it is tried again behind a restart', async () => {
    const owner = newOwner();
    const table = aTable();
    const topic = uniqueName('topic');
    const first = openKafkaSink(kafka, { owner });
    await first.recover();
    first.drop(table.id);
    assert.deepEqual(await first.prepare([toTopic(table, topic)]), []);
    await first.write(batchOf(inserts(table, [[1]])));
    await first.commit(checkpointOf(1, table));
    await first.close();
    await deleteTopic(kafka, topic);
    const second = openKafkaSink(kafka, { owner });
    await second.recover();
    assert.deepEqual(codesOf(await second.prepare([toTopic(table, topic)])), [[table.id.table, 'Kafka.TopicMissing']]);
    await second.commit({ ...checkpointOf(2), tables: [progressOf(table, 'FAILED')] });
    await second.close();
    const third = openKafkaSink(kafka, { owner });
    await third.recover();
    third.drop(table.id);
    assert.deepEqual(codesOf(await third.prepare([toTopic(table, topic)])), []);
    await third.close();
  });

  void it('are missed by the tables that share one, also when another of them began anew', async () => {
    const owner = newOwner();
    const [stays, again] = [aTable(), aTable()];
    const topic = uniqueName('topic');
    const first = openKafkaSink(kafka, { owner });
    await first.recover();
    assert.deepEqual(await first.prepare([toTopic(stays, topic), toTopic(again, topic)]), []);
    await first.write(batchOf(inserts(stays, [[1]]), inserts(again, [[1]])));
    first.drop(again.id);
    await first.commit(checkpointOf(1, stays, again));
    await first.close();
    await deleteTopic(kafka, topic);
    await createTopic(kafka, topic);
    const second = openKafkaSink(kafka, { owner });
    await second.recover();
    second.drop(again.id);
    assert.deepEqual(codesOf(await second.prepare([toTopic(stays, topic), toTopic(again, topic)])), [
      [stays.id.table, 'Kafka.TopicMissing'],
      [again.id.table, 'Kafka.TopicMissing'],
    ]);
    await second.close();
  });

  void it('get no more heartbeats when their tables were removed, so that they may be deleted', async () => {
    let now = 1_700_000_000_000;
    const [stays, leaves] = [aTable(), aTable()];
    const [kept, deleted] = [uniqueName('topic'), uniqueName('topic')];
    const options = { heartbeatSeconds: 10, partitions: 1 };
    const sink = openKafkaSink(kafka, { options, clock: { now: () => now } });
    await sink.recover();
    await sink.prepare([toTopic(stays, kept), toTopic(leaves, deleted)]);
    await sink.write(batchOf(inserts(leaves, [[1]]), { kind: 'progress', progress: progressOf(leaves, 'REMOVED') }));
    await sink.commit(checkpointOf(1, stays));
    await deleteTopic(kafka, deleted);
    now += 10_000;
    await sink.write(batchOf());
    assert.equal(sink.load().rows, 1);
    await sink.commit(checkpointOf(2, stays));
    await sink.close();
  });

  void it('that are compacted get no TRUNCATE of Debezium, which has no key', async () => {
    const table = aTable();
    const truncate: DdlPart = {
      kind: 'ddl',
      table,
      ddl: 'TRUNCATETABLE',
      statement: 'TRUNCATE t',
      timeMicros: 1,
      place: SCRIPTED_PLACE,
    };
    const written: number[] = [];
    for (const cleanupPolicy of ['compact', 'delete']) {
      const sink = openKafkaSink(kafka, { options: { writeMode: 'debezium', cleanupPolicy } });
      await sink.recover();
      await sink.prepare([toTopic(table, uniqueName('topic'))]);
      await sink.write(batchOf(inserts(table, [[1]]), truncate));
      const before = sink.load().bytes;
      await sink.commit(checkpointOf(1, table));
      written.push(before);
      await sink.close();
    }
    assert.ok(written[0] !== undefined && written[1] !== undefined && written[0] < written[1]);
  });

  void it('are missed while they are written, although another one took the name between two commits', async () => {
    let now = 1_700_000_000_000;
    const table = aTable();
    const topic = uniqueName('topic');
    const sink = openKafkaSink(kafka, { options: { partitions: 1 }, clock: { now: () => now } });
    const recovered = await sink.recover();
    assert.equal(recovered, null);
    await sink.prepare([toTopic(table, topic)]);
    await sink.write(batchOf(inserts(table, [[1]])));
    await sink.commit(checkpointOf(1, table));
    await deleteTopic(kafka, topic);
    await createTopic(kafka, topic);
    now += 10_000;
    await sink.write(batchOf(inserts(table, [[2]])));
    await assert.rejects(sink.commit(checkpointOf(2, table)), { kind: 'transient', code: 'Kafka.TopicMissing' });
    assert.deepEqual(await sink.recover(), checkpointOf(1, table));
    assert.deepEqual(codesOf(await sink.prepare([toTopic(table, topic)])), [[table.id.table, 'Kafka.TopicMissing']]);
    await sink.close();
  });
});
