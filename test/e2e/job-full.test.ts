import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiJob } from '../support/api-job.ts';
import { readTopic } from '../../scripts/servers/kafka-reader.ts';
import { openKafkaEnds } from '../support/kafka-task.ts';
import { PROJECT, rowsOf, startDouble } from '../support/maxcompute-under-test.ts';
import { odpsSink, openMaxComputeEnds } from '../support/maxcompute-task.ts';
import { Service } from '../support/service.ts';
import { fillSql, holoSink, openEnds, untilTableEqual } from '../support/task-under-test.ts';

test('a Full job loads its tables, is finished, and loads them anew when it is forced', async () => {
  const [service, ends] = await Promise.all([Service.start(), openEnds('mariadb')]);
  const job = new ApiJob(service, ends, holoSink(ends));
  const rows = async (table: string) => {
    const { rows: found } = await ends.pg.query(`SELECT count(*)::int AS n FROM "${ends.database}".${table}`);
    return (found[0] as { n: number }).n;
  };
  const finished = () => job.until(({ JobStatus }) => JobStatus === 'Finished');
  try {
    await ends.mysql.query('CREATE TABLE a (id INT PRIMARY KEY, n INT); CREATE TABLE b LIKE a; CREATE TABLE c LIKE a');
    for (const sql of [...fillSql('a', 20_000), ...fillSql('b', 10)]) await ends.mysql.query(sql);
    await job.create({ migrationType: 'Full', mappings: [{ tables: ['a', 'b', 'c'] }] });
    await job.do('StartDIJob');
    await finished();
    assert.deepEqual([await rows('a'), await rows('b'), await rows('c')], [20_000, 10, 0]);
    await ends.mysql.query('DELETE FROM a WHERE id > 15000; INSERT INTO b VALUES (11, 1)');
    await assert.rejects(job.do('StartDIJob'), {
      code: 'Invalid.Operation',
      message: /is finished: give ForceToRerun/,
    });
    assert.deepEqual([await rows('a'), await rows('b')], [20_000, 10]);
    await job.do('StartDIJob', { ForceToRerun: 'true' });
    await finished();
    const equal = [
      await untilTableEqual(ends, 'a'),
      await untilTableEqual(ends, 'b'),
      await untilTableEqual(ends, 'c'),
    ];
    assert.deepEqual(equal, [15_000, 11, 0]);
    await job.do('DeleteDIJob');
  } finally {
    await service.dispose();
    await ends.close();
  }
});

test('a Full job to MaxCompute loads each table under the name that its mapping gives it', async () => {
  const [service, double] = await Promise.all([Service.start(), startDouble()]);
  const ends = await openMaxComputeEnds('mysql', double);
  const sink = odpsSink(double);
  const job = new ApiJob(service, ends, sink);
  const rows = (table: string) => rowsOf(double.table(`projects/${PROJECT}/tables/${table}`), ['id', 'n']);
  try {
    await ends.mysql.query('CREATE TABLE t_a (id INT PRIMARY KEY, n INT); CREATE TABLE t_b LIKE t_a');
    await ends.mysql.query('INSERT INTO t_a VALUES (1, 2); INSERT INTO t_b VALUES (3, 4)');
    const variables = [{ variableName: 'srcTableName', variableRules: [{ from: 't_', to: 'ods_' }] }];
    const rename = {
      RuleName: 'ods',
      RuleActionType: 'Rename',
      RuleTargetType: 'Table',
      RuleExpression: JSON.stringify({ expression: `${ends.database}_\${srcTableName}`, variables }),
    };
    const settings = { ChannelSettings: JSON.stringify({ destinationChannelSettings: sink.options }) };
    const mappings = [{ tables: ['t_a'], rules: [rename] }, { tables: ['t_b'] }];
    await job.create({ migrationType: 'Full', mappings, settings });
    await job.do('StartDIJob');
    await job.until(({ JobStatus }) => JobStatus === 'Finished');
    assert.deepEqual([rows(`${ends.database}_ods_a`), rows(`${ends.database}_t_b`)], [[['1', '2']], [['3', '4']]]);
  } finally {
    await service.dispose();
    await ends.mysql.end();
    await double.stop();
  }
});

test('a Full job to Kafka is finished once each row is in the topic of its mapping, under the key that a rule defines', async () => {
  const [service, ends] = await Promise.all([Service.start(), openKafkaEnds('mysql')]);
  const content = { address: `127.0.0.1:${ends.kafka.port}` };
  const job = new ApiJob(service, ends, { type: 'kafka', content, options: {} });
  const rule = (RuleActionType: string, expression: object) => {
    return { RuleName: 'r', RuleActionType, RuleTargetType: 'Table', RuleExpression: JSON.stringify(expression) };
  };
  const keysOf = async (topic: string) => {
    const records = await readTopic(ends.kafka, { topic: `${ends.database}${topic}` });
    return records.map(({ key }) => key?.toString()).sort((one, other) => String(one).localeCompare(String(other)));
  };
  try {
    await ends.mysql.query('CREATE TABLE a (id INT PRIMARY KEY, n INT); CREATE TABLE b LIKE a');
    await ends.mysql.query('INSERT INTO a VALUES (1, 10), (2, 20); INSERT INTO b VALUES (3, 30)');
    const key = rule('DefinePrimaryKey', { columns: ['n'] });
    const renamed = rule('Rename', { expression: '${srcDatabaseName}.ods.${srcTableName}' });
    await job.create({
      migrationType: 'Full',
      mappings: [
        { tables: ['a'], rules: [renamed, key] },
        { tables: ['b'], rules: [key] },
      ],
    });
    await job.do('StartDIJob');
    await job.until(({ JobStatus }) => JobStatus === 'Finished');
    assert.deepEqual([await keysOf('.ods.a'), await keysOf('_b')], [['10', '20'], ['30']]);
  } finally {
    await service.dispose();
    await ends.mysql.end();
  }
});
