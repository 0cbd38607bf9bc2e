import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isJsonObject, parseJsonObject } from '../lib/json.ts';
import { tableKey } from '../pipeline/table.ts';
import { readContent, readPlanMark } from './script-reader.ts';
import { writeContent } from './script-writer.ts';
import type { DefinedTable, TaskDefinition } from './task-definition.ts';

const ORDERS = [
  ['id', 'bigint'],
  ['buyer', 'text'],
  ['amount', 'numeric(12,2)'],
  ['created_at', 'timestamp with time zone'],
] as const;
const ITEMS = [
  ['id', 'bigint'],
  ['order_id', 'bigint'],
  ['sku', 'text'],
  ['qty', 'integer'],
] as const;

function defined(database: string, table: string, columns: typeof ORDERS | typeof ITEMS): DefinedTable {
  return {
    table: { database, table },
    target: { schema: database, table },
    key: ['id'],
    load: 'full',
    since: 1,
    columns: columns.map(([name, type]) => ({ name, type, nullable: name !== 'id', comment: '' })),
  };
}

function definition(form: 'table' | 'selectedTables', name: string, tables: readonly DefinedTable[]): TaskDefinition {
  return {
    name,
    resourceGroup: 'S_res_group_100_200',
    route: 'oneclick_to_holo',
    sourceName: 'shop_mysql',
    sinkName: 'bi_holo',
    form,
    initialLoad: 'all',
    reader: {},
    writer: {},
    tables,
  };
}

/** A content without what is ours, after a look at that. */
function withoutOurs(content: string): unknown {
  const { extend, ...rest } = parseJsonObject(content);
  assert.ok(isJsonObject(extend));
  const { initialLoad, disync, ...vendors } = extend;
  assert.deepEqual([initialLoad, disync], ['all', { processId: 12, baseVersion: 3, planHash: 'abc' }]);
  return { ...rest, extend: vendors };
}

const MARK = { processId: 12, baseVersion: 3, planHash: 'abc' };

void test('the content of a list of tables is what the vendor writes', () => {
  const task = definition('table', 'rt_mysql_holo_single', [
    defined('shop', 'orders', ORDERS),
    defined('shop', 'items', ITEMS),
  ]);
  assert.deepEqual(withoutOurs(writeContent(task, MARK)), VENDORS_TABLES);
});

void test('the content of several databases is what the vendor writes', () => {
  const task = definition('selectedTables', 'rt_mysql_holo_multi', [
    defined('shop_a', 'orders', ORDERS),
    defined('shop_b', 'orders', ORDERS),
    defined('shop_b', 'items', ITEMS),
  ]);
  assert.deepEqual(withoutOurs(writeContent(task, MARK)), VENDORS_SELECTED_TABLES);
});

void test('the content of a task to Kafka names the topic of each table, and reads back with its writeMode', () => {
  const topic = (table: DefinedTable) => ({
    ...table,
    target: { schema: '', table: `${table.table.database}.${table.table.table}` },
  });
  const task: TaskDefinition = {
    ...definition('table', 'rt_mysql_kafka_single', [
      topic(defined('shop', 'orders', ORDERS)),
      topic(defined('shop', 'items', ITEMS)),
    ]),
    route: 'oneclick_to_kafka',
    sinkName: 'events_kafka',
    writer: { writeMode: 'canal' },
  };
  const content = writeContent(task, MARK);
  assert.deepEqual(withoutOurs(content), {
    type: 'job',
    version: '2.0',
    extend: { mode: 'migration_kafka', resourceGroup: 'S_res_group_100_200', name: 'rt_mysql_kafka_single' },
    order: { hops: [{ from: 'reader', to: 'writer' }] },
    steps: [
      {
        stepType: 'mysql',
        name: 'reader',
        category: 'reader',
        parameter: {
          connection: [{ datasourceType: 'mysql', datasource: 'shop_mysql', table: ['orders', 'items'] }],
        },
      },
      {
        stepType: 'kafka',
        name: 'writer',
        category: 'writer',
        parameter: {
          writeMode: 'canal',
          datasource: 'events_kafka',
          tableMappingRule: {
            datasource: [
              {
                srcDatasourceName: 'shop_mysql',
                tableRule: ['orders', 'items'].map((name) => ({
                  srcDbName: 'shop',
                  srcTable: name,
                  dstTable: `shop.${name}`,
                  primaryKeyInfo: { type: 'pk', column: ['id'] },
                })),
              },
            ],
            totalTableMapping: 2,
          },
        },
      },
    ],
  });
  const { writer, targets } = readContent(content);
  assert.deepEqual(writer, { writeMode: 'canal' });
  assert.deepEqual(Object.values(targets), [
    { schema: '', table: 'shop.orders' },
    { schema: '', table: 'shop.items' },
  ]);
});

void test('the mark of a plan is read back, and a content without one has none', () => {
  const task = definition('table', 'n', [defined('shop', 'orders', ORDERS)]);
  assert.deepEqual(readPlanMark(writeContent(task, MARK)), { processId: 12n, planHash: 'abc' });
  assert.equal(readPlanMark(writeContent(task, null)), null);
});

void test('whatever a task is called and holds, its content reads back as that task', () => {
  const nameText = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter(isUsableName);
  const table = fc.record({ database: nameText, table: nameText, schema: nameText, target: nameText });
  const task = fc.record({
    name: fc.option(nameText),
    resourceGroup: fc.oneof(fc.constant(''), nameText),
    sourceName: nameText,
    sinkName: nameText,
    form: fc.constantFrom('table', 'selectedTables'),
    initialLoad: fc.constantFrom('all', 'added', 'none'),
    schema: nameText,
    tables: fc.uniqueArray(table, { minLength: 1, maxLength: 6, selector: tableKey }),
  });
  fc.assert(
    fc.property(task, ({ tables, schema, ...outer }) => {
      // Bare names are all of one database.
      const own = outer.form === 'table' ? tables.map((each) => ({ ...each, database: 'shop' })) : tables;
      const unique = [...new Map(own.map((each) => [tableKey(each), each])).values()];
      const wanted: TaskDefinition = {
        ...outer,
        form: outer.form,
        route: 'oneclick_to_holo',
        reader: { loadParallelism: outer.form === 'table' ? 1 : 4 },
        writer: { schema },
        tables: unique.map((each) => ({
          table: { database: each.database, table: each.table },
          target: { schema: each.schema, table: each.target },
          key: ['id'],
          load: 'full',
          since: 1,
          columns: [{ name: each.table, type: 'text', nullable: true, comment: each.target }],
        })),
      };
      const read = readContent(writeContent(wanted, MARK));
      const { tables: _, ...rest } = wanted;
      const found = new Set(read.tables.map(({ database, table: name }) => `${database ?? 'shop'}\0${name}`));
      assert.deepEqual(
        { ...read, tables: found },
        {
          ...rest,
          tables: new Set(unique.map(tableKey)),
          targets: Object.fromEntries(wanted.tables.map(({ table: id, target }) => [tableKey(id), target])),
        },
      );
    }),
  );
});

/** Names that no MySQL could have are refused by the reader. */
function isUsableName(name: string): boolean {
  return name.length <= 64 && !name.includes('\0') && name.isWellFormed();
}

const VENDORS_TABLES = {
  type: 'job',
  version: '2.0',
  extend: { mode: 'migration_holo', resourceGroup: 'S_res_group_100_200', name: 'rt_mysql_holo_single' },
  order: { hops: [{ from: 'reader', to: 'writer' }] },
  steps: [
    {
      stepType: 'mysql',
      name: 'reader',
      category: 'reader',
      parameter: { connection: [{ datasourceType: 'mysql', datasource: 'shop_mysql', table: ['orders', 'items'] }] },
    },
    {
      stepType: 'holo',
      name: 'writer',
      category: 'writer',
      parameter: {
        datasource: 'bi_holo',
        tableMappingRule: {
          datasource: [
            {
              srcDatasourceName: 'shop_mysql',
              tableRule: [
                {
                  srcDbName: 'shop',
                  srcTable: 'orders',
                  dstTable: 'shop.orders',
                  primaryKeyInfo: { type: 'pk', column: ['id'] },
                  dstCreateTableInfo: {
                    schemaName: 'shop',
                    tableName: 'orders',
                    indexType: 'orders',
                    dataColumn: [
                      {
                        name: 'id',
                        index: 0,
                        type: 'int8',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: true,
                      },
                      {
                        name: 'buyer',
                        index: 1,
                        type: 'text',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: false,
                      },
                      {
                        name: 'amount',
                        index: 2,
                        type: 'numeric',
                        comment: '',
                        columnSize: 0,
                        digit: 2,
                        newDigit: 0,
                        primaryKey: false,
                      },
                      {
                        name: 'created_at',
                        index: 3,
                        type: 'timestamptz',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: false,
                      },
                    ],
                  },
                  mergeIntoCycleType: 'DEFAULT',
                  dayDeltaEnable: false,
                  hourDeltaEnable: false,
                },
                {
                  srcDbName: 'shop',
                  srcTable: 'items',
                  dstTable: 'shop.items',
                  primaryKeyInfo: { type: 'pk', column: ['id'] },
                  dstCreateTableInfo: {
                    schemaName: 'shop',
                    tableName: 'items',
                    indexType: 'items',
                    dataColumn: [
                      {
                        name: 'id',
                        index: 0,
                        type: 'int8',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: true,
                      },
                      {
                        name: 'order_id',
                        index: 1,
                        type: 'int8',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: false,
                      },
                      {
                        name: 'sku',
                        index: 2,
                        type: 'text',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: false,
                      },
                      {
                        name: 'qty',
                        index: 3,
                        type: 'int4',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: false,
                      },
                    ],
                  },
                  mergeIntoCycleType: 'DEFAULT',
                  dayDeltaEnable: false,
                  hourDeltaEnable: false,
                },
              ],
            },
          ],
          totalTableMapping: 2,
        },
        writeMode: 'replay',
      },
    },
  ],
};

const VENDORS_SELECTED_TABLES = {
  type: 'job',
  version: '2.0',
  extend: { mode: 'migration_holo', resourceGroup: 'S_res_group_100_200', name: 'rt_mysql_holo_multi' },
  order: { hops: [{ from: 'reader', to: 'writer' }] },
  steps: [
    {
      stepType: 'mysql',
      name: 'reader',
      category: 'reader',
      parameter: {
        connection: [
          {
            datasourceType: 'mysql',
            datasource: 'shop_mysql',
            selectedTables: [
              { dbName: 'shop_a', schema: [{ tableInfos: [{ enable: true, table: 'orders', tableName: 'orders' }] }] },
              {
                dbName: 'shop_b',
                schema: [
                  {
                    tableInfos: [
                      { enable: true, table: 'orders', tableName: 'orders' },
                      { enable: true, table: 'items', tableName: 'items' },
                    ],
                  },
                ],
              },
            ],
          },
        ],
      },
    },
    {
      stepType: 'holo',
      name: 'writer',
      category: 'writer',
      parameter: {
        datasource: 'bi_holo',
        tableMappingRule: {
          datasource: [
            {
              srcDatasourceName: 'shop_mysql',
              tableRule: [
                {
                  srcDbName: 'shop_a',
                  srcTable: 'orders',
                  dstTable: 'shop_a.orders',
                  primaryKeyInfo: { type: 'pk', column: ['id'] },
                  dstCreateTableInfo: {
                    schemaName: 'shop_a',
                    tableName: 'orders',
                    indexType: 'orders',
                    dataColumn: [
                      {
                        name: 'id',
                        index: 0,
                        type: 'int8',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: true,
                      },
                      {
                        name: 'buyer',
                        index: 1,
                        type: 'text',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: false,
                      },
                      {
                        name: 'amount',
                        index: 2,
                        type: 'numeric',
                        comment: '',
                        columnSize: 0,
                        digit: 2,
                        newDigit: 0,
                        primaryKey: false,
                      },
                      {
                        name: 'created_at',
                        index: 3,
                        type: 'timestamptz',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: false,
                      },
                    ],
                  },
                  mergeIntoCycleType: 'DEFAULT',
                  dayDeltaEnable: false,
                  hourDeltaEnable: false,
                },
                {
                  srcDbName: 'shop_b',
                  srcTable: 'orders',
                  dstTable: 'shop_b.orders',
                  primaryKeyInfo: { type: 'pk', column: ['id'] },
                  dstCreateTableInfo: {
                    schemaName: 'shop_b',
                    tableName: 'orders',
                    indexType: 'orders',
                    dataColumn: [
                      {
                        name: 'id',
                        index: 0,
                        type: 'int8',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: true,
                      },
                      {
                        name: 'buyer',
                        index: 1,
                        type: 'text',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: false,
                      },
                      {
                        name: 'amount',
                        index: 2,
                        type: 'numeric',
                        comment: '',
                        columnSize: 0,
                        digit: 2,
                        newDigit: 0,
                        primaryKey: false,
                      },
                      {
                        name: 'created_at',
                        index: 3,
                        type: 'timestamptz',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: false,
                      },
                    ],
                  },
                  mergeIntoCycleType: 'DEFAULT',
                  dayDeltaEnable: false,
                  hourDeltaEnable: false,
                },
                {
                  srcDbName: 'shop_b',
                  srcTable: 'items',
                  dstTable: 'shop_b.items',
                  primaryKeyInfo: { type: 'pk', column: ['id'] },
                  dstCreateTableInfo: {
                    schemaName: 'shop_b',
                    tableName: 'items',
                    indexType: 'items',
                    dataColumn: [
                      {
                        name: 'id',
                        index: 0,
                        type: 'int8',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: true,
                      },
                      {
                        name: 'order_id',
                        index: 1,
                        type: 'int8',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: false,
                      },
                      {
                        name: 'sku',
                        index: 2,
                        type: 'text',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: false,
                      },
                      {
                        name: 'qty',
                        index: 3,
                        type: 'int4',
                        comment: '',
                        columnSize: 0,
                        digit: 0,
                        newDigit: 0,
                        primaryKey: false,
                      },
                    ],
                  },
                  mergeIntoCycleType: 'DEFAULT',
                  dayDeltaEnable: false,
                  hourDeltaEnable: false,
                },
              ],
            },
          ],
          totalTableMapping: 3,
        },
        writeMode: 'replay',
      },
    },
  ],
};
