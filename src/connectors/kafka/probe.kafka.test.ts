import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DEFAULT_HOST_POLICY } from '../../lib/host-policy.ts';
import { outcomes, probeStages } from '../../../test/support/probe-stages.ts';
import { newTopic, openCluster } from '../../../test/support/kafka-protocol-under-test.ts';
import { sharedKafka, type TestKafka } from '../../../test/support/kafka-under-test.ts';
import { ScriptedBroker } from '../../../test/support/scripted-broker.ts';
import { kafkaConnector } from './connector.ts';
import type { Cluster } from './protocol/cluster.ts';

const probe = (address: string) => probeStages(kafkaConnector, { address });

void describe('a probe of Kafka', () => {
  const end = new AbortController();
  let kafka: TestKafka;
  let cluster: Cluster;
  before(async () => {
    kafka = await sharedKafka();
    cluster = await openCluster(kafka.port, end.signal);
  });
  after(() => end.abort());

  void it('passes every stage of brokers that are fit, through any address that answers', async () => {
    const stages = await probe(`127.0.0.1:1,127.0.0.1:${kafka.port}`);
    assert.deepEqual(outcomes(stages), [
      'name resolution: passed',
      'TCP: passed',
      'TLS: skipped',
      'login: passed',
      'advertised brokers: passed',
      'grants: passed',
    ]);
  });

  void it('ends where the way ends, also at the addresses that brokers give of themselves', async () => {
    assert.deepEqual(outcomes(await probe('127.0.0.1:1')), ['name resolution: passed', 'TCP: failed']);
    assert.deepEqual(outcomes(await probe('169.254.169.254:9092')), ['name resolution: failed']);
    const broker = await ScriptedBroker.start(1);
    broker.host = 'none.invalid';
    try {
      const stages = await probe(`127.0.0.1:${broker.port}`);
      assert.deepEqual(outcomes(stages).slice(-3), ['TLS: skipped', 'login: passed', 'advertised brokers: failed']);
      assert.match(
        stages.at(-1)?.found ?? '',
        /the brokers say that they are at none\.invalid:\d+, where none is reached: getaddrinfo/,
      );
      assert.match(stages.at(-1)?.remedy ?? '', /advertised\.listeners/);
    } finally {
      broker.stop();
    }
  });

  void it('is beside a catalogue of topics, page by page', async () => {
    const names = [await newTopic(cluster, 1), await newTopic(cluster, 1)].sort();
    const settings = kafkaConnector.parseSettings({ address: `127.0.0.1:${kafka.port}` }, DEFAULT_HOST_POLICY);
    const signal = AbortSignal.timeout(20_000);
    const { schemas, tables, total } = await kafkaConnector.readCatalogue({
      settings,
      offset: 0,
      limit: 10_000,
      signal,
    });
    assert.deepEqual([schemas, total], [[{ database: '', schema: '' }], tables.length]);
    const topics = tables.map(({ table }) => table);
    assert.deepEqual(topics, [...topics].sort());
    assert.deepEqual(
      names.filter((name) => !topics.includes(name)),
      [],
    );
    assert.ok(!topics.some((topic) => topic.startsWith('__')), topics.join());
    const at = topics.indexOf(names[0] ?? '');
    const page = await kafkaConnector.readCatalogue({ settings, offset: at, limit: 1, signal });
    assert.deepEqual(page.tables, [{ database: '', schema: '', table: names[0], columns: [] }]);
  });
});
