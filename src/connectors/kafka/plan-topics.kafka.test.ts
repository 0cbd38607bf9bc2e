import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DEFAULT_HOST_POLICY } from '../../lib/host-policy.ts';
import { createTopic } from '../../../test/support/kafka-tools.ts';
import { sharedKafka, type TestKafka } from '../../../test/support/kafka-under-test.ts';
import { scriptedTable } from '../../../test/support/scripted-rows.ts';
import { uniqueName } from '../../../test/support/servers.ts';
import type { Json } from '../../lib/json-value.ts';
import type { ValueType } from '../../pipeline/table.ts';
import { planTopics } from './plan-topics.ts';
import { parseKafkaSettings } from './settings.ts';

const INT: ValueType = { kind: 'integer', bytes: 4, unsigned: false };

void describe('a plan of topics', () => {
  let kafka: TestKafka;
  const database = uniqueName('plan');

  before(async () => {
    kafka = await sharedKafka();
    await createTopic(kafka, `${database}.there`, { partitions: 2 });
    await createTopic(kafka, `${database}_compacted`, { config: { 'cleanup.policy': 'compact' } });
  });

  async function plan(options: Json, tables: readonly string[], key: readonly string[] = ['k']) {
    const planned = await planTopics({
      settings: parseKafkaSettings({ address: `127.0.0.1:${kafka.port}` }, DEFAULT_HOST_POLICY),
      options,
      sourceName: 'source',
      tables: tables.map((table) => scriptedTable(database, table, { k: INT }, key)),
      signal: new AbortController().signal,
    });
    const { problems, warnings } = planned;
    return {
      foreign: planned.tables.map(({ ifForeign }) => ifForeign),
      problems: [...problems, ...planned.tables.flatMap((each) => each.problems)].map(
        ({ code, message, remedy }) => `${code}: ${message.replace(/\.$/, '')}. ${remedy}`,
      ),
      warnings: [...warnings, ...planned.tables.flatMap((each) => each.warnings)],
    };
  }

  void it('says what the brokers would refuse to make, and makes nothing', async () => {
    assert.deepEqual(await plan({}, ['there']), {
      foreign: [null],
      problems: [
        `Kafka.SettingRefused: trying to create topics (topic ${database}_there): INVALID_TOPIC_EXCEPTION: Topic '${database}_there' collides with existing topic: ${database}.there. Give the option topic another pattern: no two names may differ in . and _ alone.`,
      ],
      warnings: [],
    });
  });

  void it('takes the topics that a task names itself, as Kafka can have them', async () => {
    const planned = await planTopics({
      settings: parseKafkaSettings({ address: `127.0.0.1:${kafka.port}` }, DEFAULT_HOST_POLICY),
      options: {},
      sourceName: 'source',
      tables: ['a', 'b', 'c'].map((table) => scriptedTable(database, table, { k: INT }, ['k'])),
      named: [{ table: `${database} of its own` }, {}, null],
      signal: new AbortController().signal,
    });
    assert.deepEqual(
      planned.tables.map(({ target }) => target.table),
      [`${database}_of_its_own`, `${database}_b`, `${database}_c`],
    );
  });

  void it('says what is wrong with the options, each once', async () => {
    const options = { replication: 3, transactionTimeoutMs: 86_400_000, keyColumns: 'k,nothing', topic: '..' };
    assert.deepEqual(await plan(options, ['t']), {
      foreign: [null],
      problems: [
        'Kafka.SettingRefused: replication is 3, and the cluster has one broker. Give replication up to 1, or -1 for what the brokers are set to.',
        'Kafka.SettingRefused: transactionTimeoutMs is 86400000, and the brokers allow 900000. Lower transactionTimeoutMs, or raise the brokers’ transaction.max.timeout.ms.',
        'Kafka.TopicName: ".." is no name of a topic. Give the option topic another pattern.',
        'Kafka.KeyColumnMissing: there is no column nothing, which keyColumns names. Correct keyColumns, or put the table into a task of its own.',
      ],
      warnings: [],
    });
  });

  void it('refuses a table without a key for a compacted topic', async () => {
    assert.deepEqual((await plan({}, ['compacted'], [])).problems, [
      `Kafka.CompactedWithoutKey: the topic ${database}_compacted is compacted, and the table has no key: such a topic takes no record without one. Give keyColumns, or another cleanupPolicy.`,
    ]);
  });

  void it('takes more topics than controllers take at once, and tells of the one that is too large', async () => {
    const many = Array.from({ length: 600 }, (_, index) => `many_${index}`);
    assert.deepEqual((await plan({ partitions: 20 }, many)).problems, []);
    assert.deepEqual((await plan({ partitions: 20_000 }, ['large'])).problems, [
      `Kafka.SettingRefused: trying to create topics (topic ${database}_large): POLICY_VIOLATION: Excessively large number of partitions per request. Change the option, or the limit that the brokers set.`,
    ]);
  });

  void it('says of a topic that is there that what is in it stays', async () => {
    assert.deepEqual((await plan({ topic: '${db}.${table}' }, ['there', 'not_there'])).foreign, [
      `the topic ${database}.there exists, and this task did not fill it: what is in it stays, and comes before what is written`,
      null,
    ]);
  });

  void it('refuses a topic that takes no write for want of replicas', async () => {
    await createTopic(kafka, `${database}_strict`, { config: { 'min.insync.replicas': '2' } });
    assert.deepEqual((await plan({}, ['strict'])).problems, [
      `Kafka.SettingRefused: the topic ${database}_strict has one replica, and its min.insync.replicas is 2: brokers take nothing for it. Give the topic more replicas, or lower its min.insync.replicas.`,
    ]);
  });

  void it('warns of parameters without a meaning, of names that are almost one, and of a topic that is otherwise', async () => {
    const options = { topic: '${db}.${table}', topicName: 'x', partitions: 3, kafkaClientProperties: { retries: 9 } };
    const { problems, warnings } = await plan(options, ['there', 'a.b', 'a_b']);
    assert.deepEqual(problems, []);
    assert.deepEqual(warnings, [
      'kafkaClientProperties: retries has no effect here',
      'the writer’s parameter topicName has no meaning here',
      `the topics ${database}.a.b and ${database}.a_b differ in . and _ alone, which brokers may refuse`,
      'the topic exists with 2 partitions, not 3: it stays so',
    ]);
  });
});
