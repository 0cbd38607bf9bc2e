import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { checkpointOf, openKafkaSink, toTopic } from '../../../test/support/kafka-sink-under-test.ts';
import { batchOf as recordsOf, openCluster, openProducer } from '../../../test/support/kafka-protocol-under-test.ts';
import { sharedKafka, type TestKafka } from '../../../test/support/kafka-under-test.ts';
import { batchOf, inserts } from '../../../test/support/scripted-rows.ts';
import { uniqueName } from '../../../test/support/servers.ts';
import { newOwner, newTable } from '../../../test/support/sink-contract.ts';
import type { ValueType } from '../../pipeline/table.ts';
import { CHECKPOINT_TOPIC } from './checkpoint-topic.ts';

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
});
