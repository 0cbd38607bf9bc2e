import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readContent, readCreateParam, readPlanMark, readUpdateParam } from './script-reader.ts';
import type { TaskDefinition } from './task-definition.ts';
import { TaskError } from './task-error.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A script as the vendor's page has it; `connection`, `setting`, `reader` and `writer` are laid over. */
function script({
  connection = { table: ['orders'] } as Fields,
  setting = {} as Fields,
  reader = {} as Fields,
  writer = {} as Fields,
  ...rest
}: Fields & { connection?: Fields; setting?: Fields; reader?: Fields; writer?: Fields } = {}): string {
  return JSON.stringify({
    type: 'realtime',
    version: '1.0',
    setting: { resourceGroup: 'g', taskType: 'oneclick_to_holo', name: 'n', ...setting },
    steps: [
      {
        stepType: 'mysql',
        parameter: { ...reader, connection: [{ datasourceType: 'mysql', datasource: 'shop_mysql', ...connection }] },
        name: 'Reader',
        category: 'reader',
      },
      { stepType: 'holo', parameter: { datasource: 'bi_holo', ...writer }, name: 'Writer', category: 'writer' },
    ],
    ...rest,
  });
}

function selected(tables: Readonly<Record<string, readonly Fields[]>>): Fields[] {
  return Object.entries(tables).map(([dbName, tableInfos]) => ({ dbName, schema: [{ tableInfos }] }));
}

function refuses(read: () => unknown, kind: string, message: RegExp): void {
  assert.throws(read, (error: unknown) => {
    assert.ok(error instanceof TaskError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, message);
    return true;
  });
}

const TASK: TaskDefinition = {
  name: 'saved name',
  resourceGroup: 'saved group',
  route: 'oneclick_to_holo',
  sourceName: 'shop_mysql',
  sinkName: 'bi_holo',
  form: 'table',
  initialLoad: 'added',
  reader: { loadParallelism: 2 },
  writer: { schema: 's' },
  tables: [],
};

void test('a script to create a task is read whole', () => {
  const param = script({
    setting: { initialLoad: 'none' },
    reader: { xa: 'atPrepare' },
    writer: { schema: 'ods', writePath: 'fixed', writeMode: 'replay' },
  });
  assert.deepEqual(readCreateParam(param), {
    name: 'n',
    resourceGroup: 'g',
    route: 'oneclick_to_holo',
    sourceName: 'shop_mysql',
    sinkName: 'bi_holo',
    form: 'table',
    tables: [{ database: null, table: 'orders' }],
    initialLoad: 'none',
    reader: { xa: 'atPrepare' },
    writer: { schema: 'ods', writePath: 'fixed' },
    targets: {},
  });
});

void test('every spelling of a list of tables is the same list', () => {
  for (const key of ['table', 'tables', 'Tables']) {
    const { form, tables } = readCreateParam(script({ connection: { [key]: ['a', 'b'] } }));
    assert.deepEqual(
      [form, tables],
      [
        'table',
        [
          { database: null, table: 'a' },
          { database: null, table: 'b' },
        ],
      ],
      key,
    );
  }
  for (const key of ['selectedTables', 'SelectedTables']) {
    const list = selected({
      shop: [{ table: 'a' }, { tableName: 'b' }, { table: 'c', enable: false }],
      log: [{ table: 'a' }],
    });
    const { form, tables } = readCreateParam(script({ connection: { [key]: list } }));
    assert.deepEqual(
      [form, tables],
      [
        'selectedTables',
        [
          { database: 'shop', table: 'a' },
          { database: 'shop', table: 'b' },
          { database: 'log', table: 'a' },
        ],
      ],
      key,
    );
  }
});

void test('lists in several spellings are one list, and a table named twice is named once', () => {
  const connection = {
    table: ['a', 'b', 'a'],
    Tables: ['b', 'c'],
    selectedTables: selected({ shop: [{ table: 'x' }, { table: 'x' }] }),
    SelectedTables: selected({ shop: [{ table: 'y' }], log: [] }),
  };
  const { form, tables } = readCreateParam(script({ connection }));
  assert.deepEqual(
    [form, tables.map(({ database, table }) => `${database ?? '-'}.${table}`)],
    ['selectedTables', ['-.a', '-.b', '-.c', 'shop.x', 'shop.y']],
  );
});

void test('a name with quotes, dots, spaces, emoji or SQL in it is a name like any other', () => {
  const names = [
    'a.b',
    '`a`',
    "'; DROP TABLE x; --",
    ' spaced ',
    '表',
    '💥',
    '../..',
    '"q"',
    'constructor',
    '__proto__',
  ];
  const { tables } = readCreateParam(script({ connection: { table: names } }));
  assert.deepEqual(
    tables.map(({ table }) => table),
    names,
  );
});

void test('an empty list is refused in every form, and says that a list is the wanted state', () => {
  const off = selected({ shop: [{ table: 'a', enable: false }] });
  for (const connection of [{}, { table: [] }, { table: null }, { selectedTables: [] }, { selectedTables: off }])
    refuses(
      () => readCreateParam(script({ connection })),
      'invalid',
      /list of tables is empty.*wanted state, not a change/,
    );
});

void test('a list of the wrong type is refused by its key', () => {
  const cases: readonly (readonly [Fields, RegExp])[] = [
    [{ table: 'orders' }, /TaskParam: table must be a list of table names/],
    [{ tables: { a: 1 } }, /TaskParam: tables must be a list/],
    [{ table: [''] }, /TaskParam: table must hold names/],
    [{ table: [1] }, /TaskParam: table must hold names/],
    [{ table: [null] }, /TaskParam: table must hold names/],
    [{ table: ['x'.repeat(65)] }, /at most 64 characters/],
    [{ table: ['a\0b'] }, /no NUL/],
    [{ selectedTables: {} }, /selectedTables: it must be a list/],
    [{ selectedTables: ['a'] }, /selectedTables: an entry must be an object/],
    [{ selectedTables: [{ dbName: 'shop' }] }, /selectedTables: schema must be a list/],
    [{ selectedTables: [{ schema: [] }] }, /selectedTables: dbName must hold names/],
    [{ selectedTables: [{ dbName: 'shop', schema: [{ tableInfos: 'a' }] }] }, /tableInfos must be a list/],
    [
      { selectedTables: [{ dbName: 'shop', schema: [{ tableInfos: ['a'] }] }] },
      /an entry of tableInfos must be an object/,
    ],
    [{ selectedTables: selected({ shop: [{}] }) }, /selectedTables: table must hold names/],
  ];
  for (const [connection, message] of cases) refuses(() => readCreateParam(script({ connection })), 'invalid', message);
});

void test('more than one source, reader or writer, or none, is refused', () => {
  const steps = (change: (list: Record<string, unknown>[]) => unknown) => {
    const json = JSON.parse(script()) as { steps: Record<string, unknown>[] };
    return JSON.stringify({ ...json, steps: change(json.steps) });
  };
  const two = (list: Record<string, unknown>[]) => [
    {
      ...list[0],
      parameter: {
        connection: [
          { datasource: 'a', table: ['x'] },
          { datasource: 'b', table: ['x'] },
        ],
      },
    },
    list[1],
  ];
  refuses(
    () => readCreateParam(steps(two)),
    'invalid',
    /one source data source per task is served.*has 2\. Make a task for each/,
  );
  refuses(() => readCreateParam(steps((list) => [...list, list[0]])), 'invalid', /more than one reader or writer/);
  for (const list of [
    (all: object[]) => [all[1]],
    (all: object[]) => [{ ...all[0], category: { toString: 0 } }, all[1]],
  ])
    refuses(() => readCreateParam(steps(list)), 'invalid', /has no reader: give a step with "category":"reader"/);
  refuses(
    () => readCreateParam(steps((list) => [list[0]])),
    'invalid',
    /has no writer: give a step with "category":"writer"/,
  );
  refuses(() => readCreateParam(steps(() => 'none')), 'invalid', /TaskParam\.steps is missing/);
  refuses(
    () => readCreateParam(steps((list) => [{ ...list[0], parameter: { connection: [] } }, list[1]])),
    'invalid',
    /list with one entry/,
  );
  refuses(
    () => readCreateParam(steps((list) => [{ ...list[0], parameter: { connection: ['x'] } }, list[1]])),
    'invalid',
    /connection\[0\] must be an object/,
  );
  refuses(
    () => readCreateParam(steps((list) => [{ ...list[0], parameter: 1 }, list[1]])),
    'invalid',
    /the parameter of the reader in TaskParam is missing, or is not an object/,
  );
});

void test('what is not there yet is said to be so, and what is unknown is said to be wrong', () => {
  refuses(
    () => readCreateParam(script({ setting: { taskType: 'oneclick_to_odps' } })),
    'invalid',
    /the writer's stepType is holo, and the route oneclick_to_odps needs odps/,
  );
  for (const taskType of ['toString', 'constructor', '', 7, null])
    refuses(
      () => readCreateParam(script({ setting: { taskType } })),
      'invalid',
      /setting\.taskType must be one of oneclick_to_holo/,
    );
  refuses(
    () => readCreateParam(script({ connection: { datasourceType: 'oracle', table: ['a'] } })),
    'not-built',
    /oracle is not served; mysql is/,
  );
  refuses(
    () => readCreateParam(script({ setting: { initialLoad: 'some' } })),
    'invalid',
    /initialLoad must be one of all, added, none/,
  );
  refuses(
    () => readCreateParam(script({ connection: { datasource: '', table: ['a'] } })),
    'invalid',
    /connection\[0\]\.datasource of the reader is missing/,
  );
  refuses(
    () => readCreateParam(script({ writer: { datasource: 5 } })),
    'invalid',
    /parameter\.datasource of the writer is missing/,
  );
});

void test('broken, deep or huge JSON is refused, never a crash', () => {
  for (const text of [
    '',
    '{',
    '[]',
    '"x"',
    'null',
    '{"a":1,"a":2}',
    '{"__proto__":1}',
    '\ud800',
    `${'['.repeat(50)}${']'.repeat(50)}`,
  ])
    refuses(() => readCreateParam(text), 'invalid', /^TaskParam is not a JSON object/);
  refuses(() => readContent('{'), 'invalid', /^TaskContent is not a JSON object/);
  refuses(() => readPlanMark('{'), 'invalid', /^TaskContent is not a JSON object/);
});

void test('any JSON at all is read or refused with a TaskError', () => {
  const anyScript = fc.oneof(
    fc.json({ maxDepth: 5 }),
    fc.jsonValue({ maxDepth: 4 }).map((value) => script({ connection: { table: value } })),
    fc.jsonValue({ maxDepth: 4 }).map((value) => script({ connection: { selectedTables: value } })),
    fc.jsonValue({ maxDepth: 4 }).map((value) => script({ steps: value })),
    fc.jsonValue({ maxDepth: 4 }).map((value) => script({ setting: { taskType: value } })),
    fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify({ extend: value, steps: value })),
  );
  fc.assert(
    fc.property(anyScript, (text) => {
      for (const read of [
        readCreateParam,
        readContent,
        readPlanMark,
        (param: string) => readUpdateParam(param, TASK),
      ]) {
        try {
          read(text);
        } catch (error) {
          assert.ok(error instanceof TaskError, String(error));
        }
      }
    }),
    { numRuns: 400 },
  );
});

void test('an update may be the reader alone: everything else stays', () => {
  const reader = JSON.stringify({
    steps: [{ category: 'reader', parameter: { connection: [{ table: ['a'] }] } }],
  });
  assert.deepEqual(readUpdateParam(reader, TASK), {
    name: 'saved name',
    resourceGroup: 'saved group',
    route: 'oneclick_to_holo',
    sourceName: 'shop_mysql',
    sinkName: 'bi_holo',
    form: 'table',
    tables: [{ database: null, table: 'a' }],
    initialLoad: 'added',
    reader: { loadParallelism: 2 },
    writer: { schema: 's' },
    targets: {},
  });
});

void test('an update may be the whole script, if route and data sources are those of the task', () => {
  const whole = script({ setting: { initialLoad: 'all' }, writer: { schema: 'other' } });
  const { name, resourceGroup, initialLoad, writer } = readUpdateParam(whole, TASK);
  assert.deepEqual([name, resourceGroup, initialLoad, writer], ['saved name', 'g', 'all', { schema: 'other' }]);
  const cases: readonly (readonly [string, RegExp])[] = [
    [script({ setting: { taskType: 'oneclick_to_kafka' } }), /taskType cannot be changed: it is oneclick_to_holo/],
    [
      script({ connection: { datasource: 'another', table: ['a'] } }),
      /the data source of the reader cannot be changed: it is shop_mysql/,
    ],
    [script({ writer: { datasource: 'another' } }), /the data source of the writer cannot be changed: it is bi_holo/],
  ];
  for (const [text, message] of cases) refuses(() => readUpdateParam(text, TASK), 'invalid', message);
});

void test('a content of a route that is not known, or without its extend, is refused', () => {
  refuses(() => readContent('{"steps":[]}'), 'invalid', /TaskContent\.extend is missing/);
  refuses(
    () => readContent('{"extend":{"mode":"migration_moon"},"steps":[]}'),
    'invalid',
    /extend\.mode \(migration_moon\) must be one of/,
  );
  refuses(() => readContent('{"extend":{"mode":"constructor"},"steps":[]}'), 'invalid', /must be one of/);
  refuses(() => readContent('{"extend":{"mode":"migration_odps"},"steps":[]}'), 'invalid', /has no reader/);
});

void test('a mark that is not whole is none: such a content is planned anew', () => {
  const mark = (disync: unknown) => readPlanMark(JSON.stringify({ extend: { disync } }));
  for (const disync of [
    undefined,
    null,
    5,
    {},
    { processId: 1 },
    { processId: '1', planHash: 'h' },
    { processId: 1.5, planHash: 'h' },
  ])
    assert.equal(mark(disync), null);
  assert.equal(readPlanMark('{"extend":5}'), null);
  assert.deepEqual(readPlanMark('{"extend":{"disync":{"processId":9007199254740993,"planHash":"h"}}}'), {
    processId: 9007199254740993n,
    planHash: 'h',
  });
});
