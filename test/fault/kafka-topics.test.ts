import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KAFKA_USER } from '../../scripts/servers/kafka-security.ts';
import type { KafkaServer } from '../../scripts/servers/kafka.ts';
import { CHECKPOINT_TOPIC } from '../../src/connectors/kafka/checkpoint-topic.ts';
import type { Info } from '../support/api-task.ts';
import { privateKafka } from '../support/kafka-under-test.ts';
import { bootstrap, deleteTopic, kafkaTool } from '../support/kafka-tools.ts';
import { type KafkaEnds, KafkaTask, openKafkaEnds } from '../support/kafka-task.ts';
import { Service } from '../support/service.ts';
import { fillSql } from '../support/task-under-test.ts';
import type { TopicChange } from '../../quickstart/topic-fold.ts';
import { counterFaults } from '../support/counter-faults.ts';

const isLoaded = ({ op }: TopicChange) => op === 'INSERT';

void describe('a topic', () => {
  let service: Service;
  /** A broker of our own, with rights: who has none may do everything. */
  let kafka: KafkaServer;
  const open: KafkaEnds[] = [];
  before(async () => {
    service = await Service.start();
    kafka = await privateKafka({
      security: { sasl: true },
      properties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
        'allow.everyone.if.no.acl.found': 'true',
      },
    });
  });
  after(async () => {
    await service.dispose();
    await kafka.stop();
    await Promise.allSettled(open.map(({ mysql }) => mysql.end()));
  });

  /** Tables a and b, which stream; up to `errorLimit` rows may be left out. */
  async function streaming(errorLimit = 0): Promise<KafkaTask> {
    const ends: KafkaEnds = { ...(await openKafkaEnds('mysql', kafka)), content: login(kafka) };
    open.push(ends);
    await ends.mysql.query('CREATE TABLE a (id INT PRIMARY KEY, n INT, v LONGTEXT); CREATE TABLE b LIKE a');
    for (const sql of [...fillSql('a', 1000), ...fillSql('b', 1000)]) await ends.mysql.query(sql);
    const task = new KafkaTask(service, ends);
    await task.registerDataSources();
    await task.create({ table: ['a', 'b'] });
    await task.do('DeployDISyncTask');
    const StartParam = JSON.stringify({ errorLimit: { record: String(errorLimit) } });
    await task.do('StartDISyncInstance', { StartParam });
    await task.untilStreaming('a', 'b');
    return task;
  }

  void it('and deleted stops its table alone, with a code; the next deploy loads the table into a new one', async () => {
    const task = await streaming();
    const { mysql } = task.ends;
    await mysql.query('UPDATE a SET n = n + 1; UPDATE b SET n = n + 1');
    await task.untilFolded('a');
    await deleteTopic(kafka, task.topic('a'));
    await mysql.query('UPDATE a SET n = n + 1; UPDATE b SET n = n + 1');
    const stopped = await task.until(({ extend }) => extend.tables.some(({ state }) => state === 'FAILED'));
    assert.deepEqual(
      [stopped.Status, ...stopped.extend.tables.map(({ table, state, code }) => [table, state, code])],
      ['RUN', ['a', 'FAILED', 'Kafka.TopicMissing'], ['b', 'STREAMING', null]],
    );
    await mysql.query('UPDATE a SET n = n + 1; UPDATE b SET n = n + 1');
    assert.deepEqual(counterFaults(await task.untilFolded('b'), 'n', isLoaded), []);
    await task.do('DeployDISyncTask');
    await task.untilStreaming('a', 'b');
    await mysql.query('UPDATE a SET n = n + 1; UPDATE b SET n = n + 1');
    for (const table of ['a', 'b'])
      assert.deepEqual(counterFaults(await task.untilFolded(table), 'n', isLoaded), [], table);
  });

  void it('and takes shorter messages from then on gets shorter ones: a row that is too long alone is left out, each change of it is counted', async () => {
    const task = await streaming(2);
    const { mysql } = task.ends;
    await kafkaTool('kafka.admin.ConfigCommand', [
      ...bootstrap(kafka),
      '--alter',
      '--entity-type',
      'topics',
      '--entity-name',
      task.topic('a'),
      '--add-config',
      'max.message.bytes=5000',
    ]);
    await mysql.query('UPDATE a SET n = n + 1; UPDATE b SET n = n + 1');
    assert.deepEqual(counterFaults(await task.untilFolded('a'), 'n', isLoaded), []);
    await mysql.query("INSERT INTO a VALUES (5001, 0, REPEAT('x', 6000)), (5002, 0, REPEAT('x', 1000))");
    await mysql.query('DELETE FROM a WHERE id = 5001; UPDATE a SET n = n + 1 WHERE id < 100');
    const changes = await task.untilFolded('a');
    assert.deepEqual(
      changes.filter(({ key }) => Number(key) > 5000).map(({ key, op }) => [key, op]),
      [['5002', 'INSERT']],
    );
    await mysql.query("INSERT INTO a VALUES (5003, 0, REPEAT('x', 6000))");
    const stopped = await task.until(({ Status }) => Status !== 'RUN');
    assert.match(stopped.Message ?? '', /^Sink\.DirtyRowsExceeded/);
  });

  void it('and forbidden, to write or to see, stops its table alone, with a code; once it is allowed, the next deploy loads the table', async () => {
    const task = await streaming();
    const { mysql } = task.ends;
    const acls = (...args: readonly string[]) =>
      kafkaTool('org.apache.kafka.tools.AclCommand', [...bootstrap(kafka), ...args]);
    const forbid = (table: string, operation: string) =>
      acls('--add', '--topic', task.topic(table), '--deny-principal', user, '--operation', operation);
    const failed = async (...tables: readonly string[]): Promise<void> => {
      await mysql.query('UPDATE a SET n = n + 1; UPDATE b SET n = n + 1');
      const { Status, extend } = await task.until((info) => isFailed(info, tables));
      assert.deepEqual(
        [Status, ...extend.tables.map(({ state, code }) => [state, code])],
        ['RUN', ...['a', 'b'].map((name) => (tables.includes(name) ? ['FAILED', 'Sink.Denied'] : ['STREAMING', null]))],
      );
    };
    await acls('--add', '--topic', task.topic('a'), '--allow-principal', user, '--operation', 'DESCRIBE');
    await forbid('a', 'WRITE');
    await failed('a');
    await mysql.query('UPDATE a SET n = n + 1; UPDATE b SET n = n + 1');
    assert.deepEqual(counterFaults(await task.untilFolded('b'), 'n', isLoaded), []);
    await forbid('b', 'DESCRIBE');
    await failed('a', 'b');
    for (const table of ['a', 'b']) await acls('--remove', '--force', '--topic', task.topic(table));
    await task.do('DeployDISyncTask');
    await task.untilStreaming('a', 'b');
    for (const table of ['a', 'b']) await task.untilFolded(table);
  });

  void it('that held the checkpoint and was deleted ends the run with a code; terminated, it is started with a new load', async () => {
    const task = await streaming();
    const { mysql } = task.ends;
    await deleteTopic(kafka, CHECKPOINT_TOPIC);
    await mysql.query('UPDATE a SET n = n + 1');
    const stopped = await task.until(({ Status }) => Status !== 'RUN');
    assert.match(stopped.Message ?? '', /^Checkpoint\.Missing/);
    await task.do('TerminateDISyncInstance');
    await task.do('DeployDISyncTask');
    await task.do('StartDISyncInstance');
    await task.untilStreaming('a', 'b');
    await mysql.query('UPDATE b SET n = n + 1');
    for (const table of ['a', 'b']) await task.untilFolded(table);
  });
});

const user = `User:${KAFKA_USER}`;

function isFailed({ extend }: Info, tables: readonly string[]): boolean {
  return tables.every((name) => extend.tables.some(({ table, state }) => table === name && state === 'FAILED'));
}

function login({ port, password }: KafkaServer): object {
  const username = KAFKA_USER;
  return { address: `127.0.0.1:${port}`, securityProtocol: 'SASL_PLAINTEXT', username, password };
}
