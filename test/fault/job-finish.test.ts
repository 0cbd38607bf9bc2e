import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiJob } from '../support/api-job.ts';
import { Service } from '../support/service.ts';
import { fillSql, holoSink, openEnds, untilTableEqual } from '../support/task-under-test.ts';

test('a job that only loads is finished with all of its rows, wherever the service ends on the way', async () => {
  const [service, ends] = await Promise.all([Service.start(), openEnds('mariadb')]);
  const job = new ApiJob(service, ends, holoSink(ends));
  try {
    await ends.mysql.query('CREATE TABLE a (id INT PRIMARY KEY, n INT)');
    for (const sql of fillSql('a', 3000)) await ends.mysql.query(sql);
    await job.create({ migrationType: 'Full', mappings: [{ tables: ['a'] }] });
    for (const point of ['after chunk merged', 'before finish saved', 'after finish saved'] as const) {
      await ends.mysql.query('UPDATE a SET n = n + 1; DELETE FROM a ORDER BY id LIMIT 1');
      await service.kill();
      await service.restart({ crashPoint: point });
      await job.do('StartDIJob', { ForceToRerun: 'true' });
      for (const deadline = Date.now() + 20_000; !service.isOver; ) {
        assert.ok(Date.now() < deadline, `nothing came to the point "${point}"`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await service.restart();
      await job.until(({ JobStatus }) => JobStatus === 'Finished');
      assert.equal(
        await untilTableEqual(ends, 'a'),
        point === 'after chunk merged' ? 2999 : point === 'before finish saved' ? 2998 : 2997,
      );
    }
  } finally {
    await service.dispose();
    await ends.close();
  }
});
