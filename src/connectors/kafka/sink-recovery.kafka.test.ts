import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { checkpointOf, openKafkaSink, toTopic } from '../../../test/support/kafka-sink-under-test.ts';
import { batchOf as recordsOf, openCluster, openProducer } from '../../../test/support/kafka-protocol-under-test.ts';
import { createTopic } from '../../../test/support/kafka-tools.ts';
import { sharedKafka, type TestKafka } from '../../../test/support/kafka-under-test.ts';
import { batchOf, inserts } from '../../../test/support/scripted-rows.ts';
import { uniqueName } from '../../../test/support/servers.ts';
import { newOwner, newTable } from '../../../test/support/sink-contract.ts';
import type { ValueType } from '../../pipeline/table.ts';
import { CHECKPOINT_TOPIC } from './checkpoint-topic.ts';
import { Cluster } from './protocol/cluster.ts';

const INT: ValueType = { kind: 'integer', bytes: 4, unsigned: false };
const TEXT: ValueType = { kind: 'text' };

void describe('recovery of the Kafka sink', () => {
  let kafka: TestKafka;
  before(async () => {
    kafka = await sharedKafka();
  });

  void it('counts dirty rows once that are read again', async () => {
    const table = newTable({ k: INT, v: TEXT }, ['k']);
    const [first, second] = [1, 2].map((k) => batchOf(inserts(table, [[k, 'x'.repeat(1_100_000)]])));
    assert.ok(first !== undefined && second !== undefined);
    const sink = openKafkaSink(kafka, { errorLimit: 2 });
    const begin = async () => {
      await sink.recover();
      await sink.prepare([toTopic(table, uniqueName('topic'))]);
    };
    await begin();
    await sink.write(first);
    await sink.commit(checkpointOf(1, table));
    for (const turn of [1, 2, 3]) {
      await sink.write(second);
      assert.equal(sink.dirtyRows, 2, `turn ${turn}`);
      await begin();
    }
    assert.equal(sink.dirtyRows, 1);
    await sink.close();
  });

  void it('takes a checkpoint for lost that lacks a table, and minds nobody else’s records', async () => {
    const owner = newOwner();
    const [one, two] = [newTable({ k: INT }, ['k']), newTable({ k: INT }, ['k'])];
    const sink = openKafkaSink(kafka, { owner });
    await sink.recover();
    await sink.commit(checkpointOf(1, one, two));
    const end = new AbortController();
    const cluster = await openCluster(kafka.port, end.signal);
    const stranger = await openProducer(cluster, 'idempotent', '');
    await stranger.send([recordsOf(CHECKPOINT_TOPIC, 0, [['[not JSON', 'nor this']])]);
    assert.deepEqual(await sink.recover(), checkpointOf(1, one, two));
    const key = JSON.stringify([owner.installation, owner.task, 'table', two.id.database, two.id.table]);
    await stranger.send([recordsOf(CHECKPOINT_TOPIC, 0, [[key, null]])]);
    assert.equal(await sink.recover(), null);
    end.abort();
    await sink.close();
  });

  void it('finds by halves what a topic takes whose settings it may not read', async () => {
    const table = newTable({ k: INT, v: TEXT }, ['k']);
    const topic = uniqueName('topic');
    await createTopic(kafka, topic, { config: { 'max.message.bytes': '50000' } });
    const rows = Array.from({ length: 40 }, (_, k) => [k, 'x'.repeat(10_000)] as const);
    const settings = Cluster.prototype.topicConfigs;
    Cluster.prototype.topicConfigs = () => Promise.resolve(new Map());
    const sink = openKafkaSink(kafka, { options: { partitions: 1 } });
    let tries = 0;
    for (let isDone = false; !isDone && tries < 10; tries += 1) {
      await sink.recover();
      await sink.prepare([toTopic(table, topic)]);
      await sink.write(batchOf(inserts(table, rows)));
      isDone = await sink.commit(checkpointOf(1, table)).then(
        () => true,
        () => false,
      );
    }
    Cluster.prototype.topicConfigs = settings;
    assert.ok(tries <= 6, `it took ${tries} tries`);
    assert.equal(sink.dirtyRows, 0);
    await sink.close();
  });

  for (const compression of ['gzip', 'snappy', 'lz4', 'zstd']) {
    void it(`reads its checkpoint back from batches compressed by ${compression}`, async () => {
      const tables = Array.from({ length: 300 }, () => newTable({ k: INT }, ['k']));
      const sink = openKafkaSink(kafka, { options: { compression } });
      await sink.recover();
      await sink.commit(checkpointOf(1, ...tables));
      assert.deepEqual(await sink.recover(), checkpointOf(1, ...tables));
      await sink.close();
    });
  }
});
