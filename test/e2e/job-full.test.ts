import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiJob } from '../support/api-job.ts';
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
