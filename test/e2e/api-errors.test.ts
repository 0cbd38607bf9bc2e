import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Service } from '../support/service.ts';
import { type Ends, openEnds, TaskUnderTest } from '../support/task-under-test.ts';

const REALTIME = { TaskType: 'DI_REALTIME' } as const;

/** The code and text of an error answer. */
async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return code === undefined ? message : `${code} | ${message}`;
  }
  return 'no error';
}

void describe('bad input', () => {
  let service: Service;
  let ends: Ends;
  let task: TaskUnderTest;

  before(async () => {
    service = await Service.start();
    ends = await openEnds('mariadb');
    await ends.mysql.query(
      'CREATE TABLE a (id INT PRIMARY KEY, n INT); CREATE TABLE b LIKE a; CREATE TABLE c LIKE a; CREATE TABLE nokey (id INT)',
    );
    task = new TaskUnderTest(service, ends);
    await task.registerDataSources();
    await task.create({ table: ['a', 'b'] });
  });
  after(async () => {
    await service.dispose();
    await ends.close();
  });

  const generate = (taskParam: string, query: Readonly<Record<string, string | number>> = {}) =>
    task.api.call('GenerateDISyncTaskConfigForUpdating', {
      ...REALTIME,
      TaskId: task.file,
      TaskParam: taskParam,
      ...query,
    });
  const readerParam = (connection: unknown) =>
    JSON.stringify({ steps: [{ name: 'Reader', category: 'reader', parameter: { connection } }] });

  void it('of a script is refused at once, and the message names the place', async () => {
    const cases: readonly (readonly [param: string, expected: RegExp])[] = [
      ['{"steps":[', /^Invalid\.DI\.Parameter.*TaskParam/],
      ['[]', /^Invalid\.DI\.Parameter.*TaskParam/],
      ['{}', /^Invalid\.DI\.Parameter.*TaskParam\.steps is missing/],
      [readerParam([]), /^Invalid\.DI\.Parameter.*connection/],
      [readerParam([{ table: [] }]), /^Invalid\.DI\.Parameter.*list of tables is empty/],
      [readerParam([{ table: 'a' }]), /^Invalid\.DI\.Parameter.*list of table names/],
      [readerParam([{ table: [1] }]), /^Invalid\.DI\.Parameter.*names/],
      [readerParam([{ table: ['a'] }, { table: ['b'] }]), /^Invalid\.DI\.Parameter.*one source data source per task/],
      [readerParam([{ selectedTables: [{ schema: [] }] }]), /^Invalid\.DI\.Parameter.*dbName/],
      ['{"a":'.repeat(40) + '1' + '}'.repeat(40), /^Invalid\.DI\.Parameter.*TaskParam/],
    ];
    for (const [param, expected] of cases) assert.match(await refusal(generate(param)), expected);
  });

  void it('of a kind that is not there yet says what is', async () => {
    const create = (param: string, type: string = REALTIME.TaskType) =>
      refusal(task.api.call('GenerateDISyncTaskConfigForCreating', { TaskType: type, TaskParam: param }));
    assert.match(
      await create(task.createParam({ table: ['a'] }), 'DI_OFFLINE'),
      /^Invalid\.DI\.Parameter.*batch tasks are made with CreateDISyncTask/,
    );
    assert.match(await create(task.createParam({ table: ['a'] }), 'DI_OTHER'), /^Invalid\.DI\.Parameter.*TaskType/);
    assert.match(await create(task.createParam({ table: ['a'] })), /^Invalid\.DI\.Parameter\.File\.Existed/);
  });

  void it('of a parameter that is missing, or of the wrong type, names it', async () => {
    const query = { ...REALTIME, FileId: task.file };
    assert.match(await refusal(task.api.call('GetDISyncTask', REALTIME)), /^MissingFileId/);
    assert.match(
      await refusal(task.api.call('GetDISyncTask', { ...query, FileId: 'x' })),
      /^Invalid\.DI\.Parameter.*FileId/,
    );
    assert.match(
      await refusal(generate(readerParam([{ table: ['a'] }]), { TaskType: 'DI_OFFLINE' })),
      /^Invalid\.DI\.Parameter.*batch tasks are updated with UpdateDISyncTask/,
    );
    assert.match(
      await refusal(task.do('DeployDISyncTask', { TaskType: 'DI_OFFLINE' })),
      /^Invalid\.DI\.Parameter.*batch tasks are not there yet/,
    );
    assert.match(await refusal(task.do('DeployDISyncTask', { TaskType: 'DI_SOLUTION' })), /fileId:\[\d+\] is invalid/);
  });

  void it('of an id is answered in Data, and 64-bit ids stay exact', async () => {
    const big = '9223372036854775807';
    assert.match(
      await refusal(generate(readerParam([{ table: ['a'] }]), { TaskId: big })),
      new RegExp(`fileId:\\[${big}\\] is invalid`),
    );
    assert.match(
      await refusal(task.api.call('QueryDISyncTaskConfigProcessResult', { ...REALTIME, AsyncProcessId: big })),
      new RegExp(`processId:\\[${big}\\] is invalid`),
    );
    for (const action of [
      'UpdateDISyncTask',
      'DeployDISyncTask',
      'StartDISyncInstance',
      'StopDISyncInstance',
      'TerminateDISyncInstance',
      'DeleteDISyncTask',
      'GetDISyncTask',
      'GetDISyncInstanceInfo',
    ]) {
      assert.match(await refusal(task.api.call(action, { ...REALTIME, FileId: 1 })), /fileId:\[1\] is invalid/, action);
    }
    assert.match(
      await refusal(task.api.call('GetDISyncTask', { ...REALTIME, FileId: task.file, ProjectId: 999 })),
      /^Forbidden\.DI\.NoPrivilege/,
    );
  });

  void it('of a call that does not fit the state says which call does', async () => {
    assert.match(await refusal(task.do('StartDISyncInstance')), /saved but not deployed: call DeployDISyncTask first/);
    assert.match(await refusal(task.do('StopDISyncInstance')), /not deployed/);
    assert.match(
      await refusal(
        task.api.call('StartDISyncInstance', {
          ...REALTIME,
          FileId: task.file,
          StartParam: '{"ddlMarkMap":{"ADDCOLUMN":"MAYBE"}}',
        }),
      ),
      /ddlMarkMap\.ADDCOLUMN must be one of NORMAL/,
    );
  });

  void it('that only the servers can tell ends the process, with everything that is wrong at once', async () => {
    const answer = await generate(readerParam([{ table: ['a', 'nokey', 'missing'] }]));
    const message = await refusal(task.api.result((answer['Data'] as { ProcessId: number }).ProcessId));
    for (const expected of [/Table\.NoPrimaryKey.*nokey/, /Table\.Unknown.*missing/]) assert.match(message, expected);
    assert.doesNotMatch(message, /`a`/);
  });

  void it('of an unreachable server ends the process too', async () => {
    await task.api.call('CreateDataSource', {
      Name: 'away',
      DataSourceType: 'mysql',
      EnvType: 0,
      Content: '{"host":"127.0.0.1","port":1,"username":"u","password":"hidden-word","database":"d"}',
    });
    const param = JSON.parse(task.createParam({ table: ['a'], datasource: 'away' }, { name: 'other' })) as object;
    const answer = await task.api.call('GenerateDISyncTaskConfigForCreating', {
      ...REALTIME,
      TaskParam: JSON.stringify(param),
    });
    const message = await refusal(task.api.result((answer['Data'] as { ProcessId: number }).ProcessId));
    assert.match(message, /MySQL\.Unavailable: connecting to 127\.0\.0\.1:1/);
    assert.doesNotMatch(message, /hidden-word/);
    const listed = JSON.stringify(await task.api.call('ListDataSources', {}));
    assert.doesNotMatch(listed + service.errors, /hidden-word/);
  });

  void it('of a data source that was deleted, or never was, names it', async () => {
    const made = await task.api.call('CreateDataSource', {
      Name: 'gone',
      DataSourceType: 'mysql',
      EnvType: 1,
      Content: '{"host":"127.0.0.1","username":"u","password":"p","database":"d"}',
    });
    await task.api.call('DeleteDataSource', { DataSourceId: made['Data'] as number });
    const TaskParam = task.createParam({ table: ['a'], datasource: 'gone' }, { name: 'with-gone' });
    const failed = refusal(
      (async () => {
        const answer = await task.api.call('GenerateDISyncTaskConfigForCreating', { ...REALTIME, TaskParam });
        await task.api.result((answer['Data'] as { ProcessId: number }).ProcessId);
      })(),
    );
    assert.match(await failed, /gone/);
  });

  void it('of a stale content is refused with what changed, and a content edited by hand is planned anew', async () => {
    const first = await task.planChange({ table: ['a', 'b', 'c'] });
    const second = await task.planChange({ table: ['a'] });
    await task.do('UpdateDISyncTask', { TaskContent: second.TaskContent });
    await task.do('UpdateDISyncTask', { TaskContent: second.TaskContent });
    assert.match(
      await refusal(task.do('UpdateDISyncTask', { TaskContent: first.TaskContent })),
      /planned against version 1, and the saved version is 2.*removed .*b/,
    );
    const edited = JSON.parse(second.TaskContent) as {
      extend: { disync?: object };
      steps: { parameter: { connection?: { table: string[] }[] } }[];
    };
    delete edited.extend.disync;
    const [connection] = edited.steps[0]?.parameter.connection ?? [];
    assert.ok(connection);
    connection.table = ['a', 'c'];
    await task.do('UpdateDISyncTask', { TaskContent: JSON.stringify(edited) });
    const stored = await task.api.call('GetDISyncTask', { ...REALTIME, FileId: task.file });
    assert.deepEqual(JSON.parse((stored['Data'] as { Code: string }).Code), edited);
    connection.table = ['a', 'missing'];
    assert.match(
      await refusal(task.do('UpdateDISyncTask', { TaskContent: JSON.stringify(edited) })),
      /Table\.Unknown.*missing/,
    );
    assert.match(
      await refusal(task.do('UpdateDISyncTask', { TaskContent: '{"type":"job"}' })),
      /^Invalid\.DI\.Parameter/,
    );
  });

  void it('of a repeated ClientToken: the same call replays its answer, another one is refused', async () => {
    const param = readerParam([{ table: ['a', 'b'] }]);
    const first = await generate(param, { ClientToken: 'token-1' });
    const again = await generate(` ${param}`, { ClientToken: 'token-1' });
    assert.deepEqual(again['Data'], first['Data']);
    assert.notEqual(again['RequestId'], first['RequestId']);
    assert.match(
      await refusal(generate(readerParam([{ table: ['a'] }]), { ClientToken: 'token-1' })),
      /^Invalid\.DI\.Parameter.*ClientToken was used before/,
    );
    assert.match(
      await refusal(generate(param, { ClientToken: 'x'.repeat(65) })),
      /^Invalid\.DI\.Parameter.*ClientToken/,
    );
  });

  void it('of data sources: taken names, unknown types and ids, and one that a task uses', async () => {
    const make = (query: Readonly<Record<string, string | number>>) =>
      refusal(
        task.api.call('CreateDataSource', {
          Name: 'x',
          DataSourceType: 'mysql',
          EnvType: 1,
          Content: '{"host":"h","username":"u","password":"p"}',
          ...query,
        }),
      );
    assert.match(await make({ Name: `${task.name}_mysql` }), /^ConnectionAlreadyExist/);
    assert.match(await make({ DataSourceType: 'oracle' }), /^Invalid\.DI\.Parameter.*oracle is not served yet/);
    assert.match(
      await make({ Content: '{"jdbcUrl":"jdbc:oracle:x"}' }),
      /^Invalid\.DI\.Parameter.*jdbcUrl must look like/,
    );
    assert.match(await make({ Content: 'nope' }), /^Invalid\.DI\.Parameter.*Content/);
    assert.match(await make({ Content: '{"instanceName":"rm-1"}' }), /^Invalid\.DI\.Parameter.*rm-1/);
    assert.match(
      await refusal(task.api.call('DeleteDataSource', { DataSourceId: 123456 })),
      /^Invalid\.Tenant\.ConnectionNotExists/,
    );
    const listed = await task.api.call('ListDataSources', { Name: `${task.name}_mysql` });
    const [{ Id } = { Id: 0 }] = (listed['Data'] as { DataSources: { Id: number }[] }).DataSources;
    assert.match(
      await refusal(task.api.call('DeleteDataSource', { DataSourceId: Id })),
      /^Invalid\.Operation.*is used by task/,
    );
  });
});

void describe('a thousand tables of twenty columns', () => {
  void it('go through the vendor’s client: generated, created, changed, in one call each', async () => {
    const service = await Service.start();
    const ends = await openEnds('mariadb');
    try {
      const columns = Array.from({ length: 19 }, (_, index) => `column_number_${index} VARCHAR(100)`).join(', ');
      const names = Array.from(
        { length: 1000 },
        (_, index) => `table_with_a_usual_name_${String(index).padStart(4, '0')}`,
      );
      for (let from = 0; from < names.length; from += 50) {
        await ends.mysql.query(
          names
            .slice(from, from + 50)
            .map((name) => `CREATE TABLE ${name} (id BIGINT PRIMARY KEY, ${columns})`)
            .join(';'),
        );
      }
      const task = new TaskUnderTest(service, ends);
      await task.registerDataSources();
      await task.create({ table: names.slice(0, 999) });
      const { TaskContent, Plan } = await task.planChange({ table: names });
      await task.do('UpdateDISyncTask', { TaskContent });
      await task.do('DeployDISyncTask');
      const plan = JSON.parse(Plan) as { tables: { added: { table: string }[]; kept: unknown[] } };
      assert.deepEqual([plan.tables.added.map(({ table }) => table), plan.tables.kept.length], [[names[999]], 999]);
      assert.ok(encodeURIComponent(TaskContent).length > 3_000_000, 'it was as large as it should be');
    } finally {
      await service.dispose();
      await ends.close();
    }
  });
});
