import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseJson, stringifyJson } from '../../src/lib/json.ts';
import type { JsonObject } from '../../src/lib/json-value.ts';
import { readTopic } from '../../scripts/servers/kafka-reader.ts';
import { type KafkaEnds, KafkaTask, openKafkaEnds } from '../support/kafka-task.ts';
import { FAMILIES } from '../support/servers.ts';
import { Service } from '../support/service.ts';
import { fillSql } from '../support/task-under-test.ts';
import type { TopicChange } from '../../quickstart/topic-fold.ts';
import { counterFaults } from '../support/counter-faults.ts';

function opOf(record: JsonObject): string {
  return String((record['payload'] as JsonObject)['op'] as string);
}

/** Halves of one update share it: the former comes first. */
function sequenceOf(record: JsonObject): string {
  const { sequenceId, op } = record['payload'] as JsonObject;
  return `${String(sequenceId as string)} ${op === 'UPDATE_AFTER' ? 1 : 0}`;
}

function describeRecord(record: JsonObject): string {
  const { before: old, after: now, ddl } = record['payload'] as JsonObject;
  const image = (old ?? now ?? null) as JsonObject | null;
  const what =
    image === null ? String((ddl as JsonObject)['text'] as string) : stringifyJson(image['dataColumn'] ?? null);
  return `${opOf(record)} ${what}`;
}

const isLoaded = ({ op }: TopicChange) => op === 'INSERT';

for (const family of FAMILIES) {
  void describe(`a running task, ${family} to Kafka`, () => {
    let service: Service;
    const open: KafkaEnds[] = [];

    before(async () => {
      service = await Service.start();
    });
    after(async () => {
      await service.dispose();
      await Promise.allSettled(open.map(({ mysql }) => mysql.end()));
    });

    async function running(options: object = {}): Promise<KafkaTask> {
      const ends = await openKafkaEnds(family);
      open.push(ends);
      await ends.mysql.query(
        'CREATE TABLE a (id INT PRIMARY KEY, n INT); CREATE TABLE b LIKE a; CREATE TABLE c LIKE a',
      );
      for (const sql of [...fillSql('a', 3000), ...fillSql('b', 10), ...fillSql('c', 10_000)])
        await ends.mysql.query(sql);
      const task = new KafkaTask(service, ends, options);
      await task.run({ table: ['a', 'b'] });
      return task;
    }

    void it('takes a table and loses one under load: each change is seen once, in order, and the last ones are the source’s', async () => {
      const task = await running();
      const { mysql } = task.ends;
      await task.untilStreaming('a', 'b');
      let writing = true;
      const writer = (async () => {
        for (let turn = 0; writing; turn += 1) {
          await mysql.query('UPDATE a SET n = n + 1 WHERE id = ?; UPDATE c SET n = n + 1 WHERE id = ?', [
            1 + (turn % 3000),
            1 + ((turn * 7) % 10_000),
          ]);
        }
      })();
      await task.change({ table: ['a', 'b', 'c'] });
      await task.untilStreaming('a', 'b', 'c');
      await task.change({ table: ['a', 'c'] });
      await task.untilStreaming('a', 'c');
      await mysql.query('INSERT INTO b VALUES (99, 99)');
      await task.do('StopDISyncInstance');
      await task.until(({ Status }) => Status === 'PAUSE');
      await task.do('StartDISyncInstance');
      await task.untilStreaming('a', 'c');
      writing = false;
      await writer;
      for (const table of ['a', 'c']) assert.deepEqual(counterFaults(await task.untilFolded(table), 'n', isLoaded), []);
      assert.equal((await task.changes('b')).length, 10, 'later rows of a removed table do not come');
    });

    void it('tells of an ALTER where it is in the log, and of rows whose key changes under both keys', async () => {
      const task = await running();
      const { mysql } = task.ends;
      await task.untilStreaming('a', 'b');
      await mysql.query('UPDATE b SET n = 7 WHERE id = 1');
      await mysql.query('ALTER TABLE b ADD COLUMN w BIGINT UNSIGNED');
      await mysql.query(
        'UPDATE b SET id = 100, w = 18446744073709551615 WHERE id = 2; UPDATE b SET n = 8 WHERE id = 100',
      );
      let records: JsonObject[] = [];
      const deadline = Date.now() + 20_000;
      while (records.length < 17 && Date.now() < deadline) {
        const read = await readTopic(task.ends.kafka, { topic: task.topic('b') });
        records = read
          .map(({ value }) => parseJson(value?.toString() ?? '') as JsonObject)
          .filter((record) => opOf(record) !== 'MHEARTBEAT');
      }
      const rest = records.filter((record) => opOf(record) !== 'INSERT');
      const inOrder = rest.toSorted((a, b) => (sequenceOf(a) < sequenceOf(b) ? -1 : 1)); // several partitions
      assert.deepEqual(inOrder.map(describeRecord), [
        'UPDATE_BEFOR {"id":1,"n":0}',
        'UPDATE_AFTER {"id":1,"n":7}',
        'ALTER ALTER TABLE b ADD COLUMN w BIGINT UNSIGNED',
        'UPDATE_BEFOR {"id":2,"n":0,"w":null}',
        'UPDATE_AFTER {"id":100,"n":0,"w":18446744073709551615}',
        'UPDATE_BEFOR {"id":100,"n":0,"w":18446744073709551615}',
        'UPDATE_AFTER {"id":100,"n":8,"w":18446744073709551615}',
      ]);
    });

    void it('takes tables without a primary key when asked to: records without a key, in one partition, in order (G11)', async () => {
      const ends = await openKafkaEnds(family);
      open.push(ends);
      await ends.mysql.query('CREATE TABLE k (id INT, n INT); INSERT INTO k VALUES (1, 0), (1, 0)');
      const refused = new KafkaTask(service, ends);
      await refused.registerDataSources();
      await assert.rejects(refused.planNew({ table: ['k'] }), /Table\.NoPrimaryKey/);
      const task = new KafkaTask(service, ends, { writeTablesWithoutKey: true });
      await task.run({ table: ['k'] });
      await task.untilStreaming('k');
      await ends.mysql.query('UPDATE k SET n = 1; DELETE FROM k LIMIT 1');
      const expected = [
        ...Array<string>(2).fill(' INSERT 0'),
        ...Array<string[]>(2).fill([' UPDATE_BEFOR 0', ' UPDATE_AFTER 1']).flat(),
        ' DELETE 1',
      ];
      let changes: TopicChange[] = [];
      const deadline = Date.now() + 20_000;
      while (changes.length < expected.length && Date.now() < deadline) changes = await task.changes('k');
      assert.deepEqual(
        changes.map(({ key, op, before: old, after: now }) => `${key} ${op} ${String((old ?? now)?.['n'] as number)}`),
        expected,
      );
    });

    void it('shows in its plan the topics, their keys, and what readers may count on', async () => {
      const ends = await openKafkaEnds(family);
      open.push(ends);
      await ends.mysql.query('CREATE TABLE `a b` (id INT, n INT, x BIT(1), PRIMARY KEY (n, id))');
      const task = new KafkaTask(service, ends, { partitions: 4 });
      await task.registerDataSources();
      const { Plan } = await task.planNew({ table: ['a b'] });
      const plan = JSON.parse(Plan) as {
        guarantee: string;
        sinkServer: string;
        tables: { added: object[] };
        warnings: string[];
      };
      assert.equal(plan.guarantee, 'transactional');
      assert.match(plan.sinkServer, /^Kafka 4\.\d/);
      assert.deepEqual(plan.warnings, []);
      const topic = `${ends.database}_a_b`;
      const [added] = plan.tables.added;
      assert.deepEqual(added, {
        database: ends.database,
        table: 'a b',
        rowsEstimated: 0,
        key: ['n', 'id'],
        target: { schema: '', table: topic },
        createSql: `kafka-topics.sh --create --topic ${topic} --partitions 4 --replication-factor 1`,
        columns: [
          { name: 'id', sourceType: family === 'mysql' ? 'int' : 'int(11)', targetType: 'LONG', nullable: false },
          { name: 'n', sourceType: family === 'mysql' ? 'int' : 'int(11)', targetType: 'LONG', nullable: false },
          { name: 'x', sourceType: 'bit(1)', targetType: 'BOOLEAN', nullable: true },
        ],
        load: 'full',
        exists: false,
        targetRows: 0,
        warnings: [`"${ends.database}_a b" has characters that Kafka does not take: the topic is ${topic}`],
      });
    });
  });
}
