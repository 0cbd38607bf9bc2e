import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Client } from 'pg';
import { pgClient } from '../support/servers.ts';
import { Service } from '../support/service.ts';
import { type Ends, fillSql, openEnds, TaskUnderTest } from '../support/task-under-test.ts';

interface Step {
  readonly StepName: string;
  readonly Status: string;
  readonly Info: string;
}

void describe('a solution, MariaDB to PostgreSQL', () => {
  let service: Service;
  let ends: Ends;
  let task: TaskUnderTest;
  let holder: Client;

  before(async () => {
    [service, ends] = await Promise.all([Service.start(), openEnds('mariadb')]);
    holder = await pgClient(ends.target, ends.targetDatabase);
    await ends.mysql.query('CREATE TABLE a (id INT PRIMARY KEY, n INT); CREATE TABLE b LIKE a; CREATE TABLE c LIKE a');
    for (const sql of [...fillSql('a', 3000), ...fillSql('b', 10), ...fillSql('c', 30_000)])
      await ends.mysql.query(sql);
    task = new TaskUnderTest(service, ends, 'DI_SOLUTION');
    await task.run({ table: ['a', 'b'] });
  });
  after(async () => {
    await Promise.allSettled([service.dispose(), ends.close(), holder.end()]);
  });

  /** Each step with its tables, as `Full load run: a SUCCESS, c RUN`. */
  async function steps(): Promise<string[]> {
    const body = await task.api.call('GetDISyncInstanceInfo', { TaskType: 'DI_SOLUTION', FileId: task.file });
    const { SolutionInfo } = body['Data'] as { SolutionInfo: { StepDetail: Step[] } };
    return SolutionInfo.StepDetail.map(({ StepName, Status, Info }) => {
      const { fusionProps } = JSON.parse(Info) as {
        fusionProps: { dataSource: { fileName: string; status: string }[] };
      };
      const rows = fusionProps.dataSource.map(({ fileName, status }) => `${fileName.split('.')[1]} ${status}`);
      return `${StepName} ${Status}: ${rows.join(', ')}`;
    });
  }

  async function untilSteps(expected: readonly string[]): Promise<void> {
    for (const deadline = Date.now() + 30_000; ; ) {
      const shown = await steps();
      if (shown.join() === expected.join() || Date.now() > deadline) return assert.deepEqual(shown, expected);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  void it('shows structure, load and stream, and a table that joins live in each of them', async () => {
    await task.untilStreaming('a', 'b');
    assert.deepEqual(await steps(), [
      'Create tables success: a SUCCESS, b SUCCESS',
      'Full load success: a SUCCESS, b SUCCESS',
      'Real-time synchronization run: a RUN, b RUN',
    ]);
    // Whoever reads the target is let by; what writes to it waits.
    await holder.query(`CREATE TABLE "${ends.database}".c (id integer PRIMARY KEY, n integer)`);
    await holder.query(`BEGIN; LOCK TABLE "${ends.database}".c IN SHARE MODE`);
    await task.change({ table: ['a', 'b', 'c'] });
    await ends.mysql.query('INSERT INTO a VALUES (4001, 1)');
    await task.until(({ extend }) => extend.tables.some(({ table, state }) => table === 'c' && state !== 'WAITING'));
    await untilSteps([
      'Create tables success: a SUCCESS, b SUCCESS, c SUCCESS',
      'Full load run: a SUCCESS, b SUCCESS, c RUN',
      'Real-time synchronization run: a RUN, b RUN, c WAIT',
    ]);
    await holder.query('COMMIT');
    await ends.mysql.query('UPDATE c SET n = 7 WHERE id > 29990');
    await untilSteps([
      'Create tables success: a SUCCESS, b SUCCESS, c SUCCESS',
      'Full load success: a SUCCESS, b SUCCESS, c SUCCESS',
      'Real-time synchronization run: a RUN, b RUN, c RUN',
    ]);
    const rows = [await task.untilEqual('a'), await task.untilEqual('b'), await task.untilEqual('c')];
    assert.deepEqual(rows, [3001, 10, 30_000]);
  });

  void it('is described as it runs and found as a file, and a stop and a delete end it', async () => {
    const query = { TaskType: 'DI_SOLUTION', FileId: task.file };
    const detail = async () => {
      const { Data } = (await task.api.call('GetDISyncTask', query)) as {
        Data: { SolutionDetail: Record<string, string> };
      };
      return Data.SolutionDetail;
    };
    const { SubmitTime, StartTime, ProcessContent, ...facts } = await detail();
    assert.deepEqual(facts, {
      Id: task.file,
      Name: task.name,
      CreatorName: 'quickstart',
      ProjectId: 10000,
      SourceType: 'mysql',
      Type: 'holo',
      Status: '2',
      ProcessExtra: '{"processType":"new","tableNum":3}',
    });
    for (const time of [SubmitTime, StartTime]) assert.match(time ?? '', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    assert.match(ProcessContent ?? '', new RegExp(`"holoDatasource":"${task.name}_sink"`));
    const ref = await task.api.call('ListRefDISyncTasks', {
      TaskType: 'DI_SOLUTION',
      DatasourceName: `${task.name}_sink`,
      RefType: 'to',
    });
    const { DISyncTasks } = ref['Data'] as { DISyncTasks: { NodeId: number }[] };
    assert.deepEqual(
      DISyncTasks.map(({ NodeId }) => NodeId),
      [task.file],
    );
    const found = await task.api.call('ListFiles', { ExactFileName: task.name, FileTypes: '900' });
    const { Files } = found['Data'] as { Files: { FileId: number; CommitStatus: number }[] };
    assert.deepEqual(
      Files.map(({ FileId, CommitStatus }) => [FileId, CommitStatus]),
      [[task.file, 1]],
    );
    const refused = await task.api.call('DeleteFile', { FileId: task.file });
    assert.deepEqual([refused['Success'], refused['ErrorCode']], [false, 'Task.WrongState']);
    await task.do('StopDISyncInstance');
    assert.deepEqual(
      [(await detail())['Status'], (await steps())[2]],
      ['1', 'Real-time synchronization wait: a WAIT, b WAIT, c WAIT'],
    );
    const deleted = await task.api.call('DeleteFile', { FileId: task.file });
    assert.deepEqual([deleted['Success'], deleted['DeploymentId']], [true, null]);
    await assert.rejects(task.info(), /is invalid/);
  });
});
