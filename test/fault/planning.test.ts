import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Service } from '../support/service.ts';
import { type Ends, openEnds, TaskUnderTest } from '../support/task-under-test.ts';

const REALTIME = { TaskType: 'DI_REALTIME' } as const;
const NAMES = Array.from({ length: 120 }, (_, index) => `t${index}`);

let service: Service;
let ends: Ends;
let task: TaskUnderTest;

before(async () => {
  [service, ends] = await Promise.all([Service.start(), openEnds('mariadb')]);
  await ends.mysql.query(NAMES.map((name) => `CREATE TABLE ${name} (id INT PRIMARY KEY)`).join(';'));
  task = new TaskUnderTest(service, ends);
  await task.registerDataSources();
  await task.create({ table: NAMES.slice(0, 1) });
});
after(async () => {
  await service.dispose();
  await ends.close();
});

async function generate(table: readonly string[], token: string): Promise<number> {
  const steps = [{ name: 'Reader', category: 'reader', parameter: { connection: [{ table }] } }];
  const answer = await task.api.call('GenerateDISyncTaskConfigForUpdating', {
    ...REALTIME,
    TaskId: task.file,
    TaskParam: JSON.stringify({ steps }),
    ClientToken: token,
  });
  return (answer['Data'] as { ProcessId: number }).ProcessId;
}

test('a config process that was answered for ends in success or fail, however early the service is killed', async () => {
  const seed = Date.now() % 1000;
  for (let turn = 0; turn < 3; turn += 1) {
    const wrong = await generate(['t0', 'missing'], `wrong-${turn}`);
    const good = await Promise.all([0, 1, 2, 3, 4].map((index) => generate(NAMES, `good-${turn}-${index}`)));
    await new Promise((resolve) => setTimeout(resolve, ((seed + turn * 37) % 60) * turn));
    await service.kill();
    await service.restart();
    for (const process of good) {
      const { Plan } = await task.api.result(process);
      const { tables } = JSON.parse(Plan) as { tables: { added: unknown[]; kept: unknown[] } };
      assert.deepEqual([tables.added.length, tables.kept.length], [119, 1], `seed ${seed}, turn ${turn}`);
    }
    await assert.rejects(task.api.result(wrong), /Table\.Unknown.*missing/);
    assert.equal(await generate(NAMES, `good-${turn}-0`), good[0], 'a token outlives the kill, and names its process');
  }
});

test('a version that was answered for is there after a kill, and the change is made once it starts', async () => {
  const { TaskContent } = await task.planChange({ table: ['t0', 't1'] });
  await task.do('UpdateDISyncTask', { TaskContent });
  await service.kill();
  await service.restart();
  await task.do('DeployDISyncTask');
  await service.kill();
  await service.restart();
  await task.do('StartDISyncInstance');
  await service.kill();
  await service.restart();
  const { extend } = await task.untilStreaming('t0', 't1');
  assert.deepEqual([extend.deployedVersion, extend.appliedVersion], [2, 2]);
  await task.do('StopDISyncInstance');
  await service.kill();
  await service.restart();
  assert.equal((await task.info()).Status, 'PAUSE', 'a stop outlives the kill');
});
