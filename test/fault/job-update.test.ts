import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CrashPoint } from '../../src/lib/crash-point.ts';
import { ApiJob } from '../support/api-job.ts';
import { Service } from '../support/service.ts';
import { holoSink, openEnds, untilTableEqual } from '../support/task-under-test.ts';

const POINTS: readonly CrashPoint[] = [
  'before version saved',
  'after version saved',
  'before deploy saved',
  'after deploy saved',
];

test('an update of a running job that is cut short at any point is completed by itself or by a start', async () => {
  const [service, ends] = await Promise.all([Service.start(), openEnds('mariadb')]);
  const job = new ApiJob(service, ends, holoSink(ends));
  try {
    await ends.mysql.query('CREATE TABLE base (id INT PRIMARY KEY, n INT); INSERT INTO base VALUES (1, 1)');
    await job.create({ mappings: [{ tables: ['base'] }] });
    await job.do('StartDIJob');
    await job.untilStreaming(1);
    const tables = ['base'];
    for (const point of POINTS) {
      const table = `t${tables.length}`;
      tables.push(table);
      await ends.mysql.query(`CREATE TABLE ${table} (id INT PRIMARY KEY, n INT); INSERT INTO ${table} VALUES (1, 1)`);
      await service.kill();
      await service.restart({ crashPoint: point });
      await assert.rejects(job.updateTables({ tables }), point);
      await untilOver(service);
      await service.restart();
      // What was saved only needs its start; what was not is given again.
      if (point === 'before version saved') await job.updateTables({ tables });
      else await job.do('StartDIJob');
      await job.untilStreaming(tables.length);
      await ends.mysql.query(`INSERT INTO ${table} VALUES (2, 2); UPDATE base SET n = n + 1`);
      assert.deepEqual([await untilTableEqual(ends, table), await untilTableEqual(ends, 'base')], [2, 1], point);
    }
  } finally {
    await service.dispose();
    await ends.close();
  }
});

async function untilOver(service: Service): Promise<void> {
  for (const deadline = Date.now() + 5000; !service.isOver; ) {
    if (Date.now() > deadline) throw new Error('the service did not end');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
