import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KAFKA_USER } from '../../../../scripts/servers/kafka-security.ts';
import type { KafkaServer } from '../../../../scripts/servers/kafka.ts';
import { ADMIN_PASSWORD } from '../../../../scripts/servers/lifecycle.ts';
import {
  batchOf,
  newestIn,
  openCluster,
  openProducer,
  recordsSeen,
} from '../../../../test/support/kafka-protocol-under-test.ts';
import { bootstrap, createTopic, kafkaTool } from '../../../../test/support/kafka-tools.ts';
import { scriptedTable } from '../../../../test/support/scripted-rows.ts';
import { privateKafka } from '../../../../test/support/kafka-under-test.ts';
import type { Problem } from '../../../pipeline/problem.ts';
import type { ValueType } from '../../../pipeline/table.ts';
import { CHECKPOINT_TOPIC } from '../checkpoint-topic.ts';
import { planTopics } from '../plan-topics.ts';
import type { Cluster } from './cluster.ts';

const DENIED = { code: 'Sink.Denied', kind: 'fatal' };

const INT: ValueType = { kind: 'integer', bytes: 4, unsigned: false };

void describe('an account with few rights', () => {
  let kafka: KafkaServer;
  let cluster: Cluster;
  const end = new AbortController();

  before(async () => {
    const properties = {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    };
    kafka = await privateKafka({ security: { sasl: true }, properties });
    for (const topic of ['ours', 'theirs', 'seen', 'checkpoint']) await createTopic(kafka, topic);
    await allow('ours', 'WRITE', 'DESCRIBE');
    await allow('seen', 'DESCRIBE');
    await allow('checkpoint', 'READ', 'WRITE');
    await allow('new-', 'CREATE', 'WRITE', 'DESCRIBE');
    const id = ['--transactional-id', 'disync-', '--resource-pattern-type', 'prefixed'];
    await acls(...id, '--operation', 'WRITE', '--operation', 'DESCRIBE');
    const sasl = { mechanism: 'PLAIN' as const, username: KAFKA_USER, password: ADMIN_PASSWORD };
    cluster = await openCluster(kafka.port, end.signal, { sasl });
  });
  after(async () => {
    end.abort();
    await kafka.stop();
  });

  void it('writes where it may, with its checkpoint, and reads that back', async () => {
    const producer = await openProducer(cluster, 'transactional', 'disync-a');
    await producer.send([batchOf('ours', 0, [['a', '1']]), batchOf('checkpoint', 0, [['run', '1']])]);
    await producer.endTransaction('commit');
    assert.deepEqual(await recordsSeen(kafka, 'ours', 1), ['0 a=1']);
    await openProducer(cluster, 'transactional', 'disync-a');
    assert.deepEqual(await newestIn(cluster, 'checkpoint', 0), { run: '1' });
  });

  void it('makes topics where it may', async () => {
    await cluster.createTopics([{ name: 'new-topic', partitions: 1, replication: 1, configs: {} }]);
    assert.equal((await cluster.topics(['new-topic'])).has('new-topic'), true);
    const other = { name: 'another', partitions: 1, replication: 1, configs: {} };
    await assert.rejects(cluster.createTopics([other]), { ...DENIED, topic: 'another' });
  });

  void it('is told which right is missing', async () => {
    await assert.rejects(cluster.topics(['theirs']), { ...DENIED, topic: 'theirs' });
    await assert.rejects(openProducer(cluster, 'transactional', 'other-id'), DENIED);
    const missing = openProducer(cluster, 'transactional', 'disync-b').then((producer) =>
      producer.send([batchOf('theirs', 0, [['a', '1']])]),
    );
    await assert.rejects(missing, { ...DENIED, topic: 'theirs' });
  });

  void it('is told which topic of several it may not write, also in the older protocol', async () => {
    for (const transactionVersion of [2, 1] as const) {
      const own = await openCluster(kafka.port, end.signal, { sasl: cluster.settings.sasl });
      Object.defineProperty(own, 'facts', { value: { ...own.facts, transactionVersion } });
      const producer = await openProducer(own, 'transactional', 'disync-c');
      const sending = producer.send([batchOf('ours', 0, [['a', '1']]), batchOf('seen', 0, [['a', '1']])]);
      await assert.rejects(sending, { ...DENIED, topic: 'seen' });
    }
  });

  void it('reads in a plan which topics it cannot see, write or make, and which it can', async () => {
    const { tables, guarantee, problems } = await planTopics({
      settings: cluster.settings,
      options: { topic: '${table}' },
      sourceName: 'source',
      tables: ['ours', 'theirs', 'seen', 'new-1', 'another'].map((name) =>
        scriptedTable('shop', name, { k: INT }, ['k']),
      ),
      signal: end.signal,
    });
    const told = (list: readonly Problem[] | undefined) => list?.map(({ code, message }) => `${code}: ${message}`);
    assert.deepEqual(
      tables.map((each) => told(each.problems)),
      [
        [],
        ['Sink.Denied: asking for topics (topic theirs): TOPIC_AUTHORIZATION_FAILED'],
        ['Sink.Denied: asking for the right to write (topic seen): TOPIC_AUTHORIZATION_FAILED'],
        [],
        ['Sink.Denied: asking for topics (topic another): TOPIC_AUTHORIZATION_FAILED'],
      ],
    );
    assert.equal(guarantee, 'transactional');
    assert.deepEqual(told(problems), [
      'Sink.Denied: asking for topics (topic __disync_checkpoint): TOPIC_AUTHORIZATION_FAILED',
    ]);
    assert.equal((await cluster.topics(['new-1'])).has('new-1'), false, 'planning makes nothing');
  });

  void it('knows no limits that it may not read', async () => {
    assert.deepEqual(await cluster.brokerConfigs(), {
      transactionMaxTimeoutMs: null,
      messageMaxBytes: null,
      autoCreateTopics: null,
      partitions: null,
      replication: null,
    });
    assert.deepEqual(
      await cluster.topicConfigs(['ours']),
      new Map([['ours', { maxMessageBytes: null, cleanupPolicy: null, minInsyncReplicas: null, retentionMs: null }]]),
    );
  });

  void it('is told in a plan of a checkpoint topic that would lose checkpoints', async () => {
    await createTopic(kafka, CHECKPOINT_TOPIC);
    await allow(CHECKPOINT_TOPIC, 'READ', 'WRITE', 'DescribeConfigs');
    const { problems } = await planTopics({
      settings: cluster.settings,
      options: { topic: '${table}' },
      sourceName: 'source',
      tables: [scriptedTable('shop', 'ours', { k: INT }, ['k'])],
      signal: end.signal,
    });
    assert.deepEqual(problems, [
      {
        code: 'Kafka.SettingRefused',
        message: 'the topic __disync_checkpoint has the cleanup.policy delete: checkpoints in it would be deleted',
        remedy: 'Set its cleanup.policy to compact.',
      },
    ]);
  });

  function allow(prefix: string, ...operations: readonly string[]): Promise<void> {
    const rights = operations.flatMap((operation) => ['--operation', operation]);
    return acls('--topic', prefix, '--resource-pattern-type', 'prefixed', ...rights);
  }

  async function acls(...args: readonly string[]): Promise<void> {
    await kafkaTool('org.apache.kafka.tools.AclCommand', [
      ...bootstrap(kafka),
      '--add',
      '--allow-principal',
      `User:${KAFKA_USER}`,
      ...args,
    ]);
  }
});
