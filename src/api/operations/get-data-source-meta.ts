import { stringifyJson } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import type { CataloguePage } from '../../tasks/data-source-service.ts';
import { environmentText, NAME, namedDataSourceOperation, projectId } from '../data-source-operation.ts';
import { integer, optional } from '../parameter.ts';

export const getDataSourceMeta = namedDataSourceOperation({
  name: 'GetDataSourceMeta',
  summary: 'lists databases, schemas, tables and columns behind a data source, as its account sees them',
  access: 'read',
  parameters: {
    ProjectId: projectId,
    DatasourceName: NAME,
    EnvType: optional(environmentText('without it production, else development')),
    PageNumber: optional(integer({ meaning: 'page of the tables, from 1', min: 1, max: 1_000_000, note: 'default 1' })),
    PageSize: optional(integer({ meaning: 'tables per page', min: 1, max: 1000, note: 'default 100' })),
  },
  fields: [{ name: 'Meta', type: 'string', meaning: 'JSON in a string, see below; null when it failed' }],
  notes: [
    'Meta is `{ dbTables: [{ dbName, schema: [{ schemaName, tableInfos: [{ dbName, table, tableName, enable, columns: [{ name, type }] }] }] }], pageNumber, pageSize, totalCount }`: every database and schema, with the tables of the page; schemaName, columns and the three numbers are ours',
    'a server that does not answer within 20 seconds is Status fail',
    'views and what is the own of the server are left out; Kafka has topics for tables, one database without a name, and no columns',
  ],
  handle: async ({ parameters, grant, dataSources }) => {
    const caller = await grant.enter(parameters.ProjectId);
    const pageNumber = parameters.PageNumber ?? 1;
    const pageSize = parameters.PageSize ?? 100;
    const page = await dataSources.catalogue(caller, {
      name: parameters.DatasourceName,
      env: parameters.EnvType,
      offset: (pageNumber - 1) * pageSize,
      limit: pageSize,
    });
    const meta = { dbTables: databasesOf(page), pageNumber, pageSize, totalCount: page.total };
    return { Meta: stringifyJson(meta) };
  },
});

function databasesOf({ schemas, tables }: CataloguePage): JsonObject[] {
  const bySchema = Map.groupBy(tables, ({ database, schema }) => `${database}\0${schema}`);
  return [...Map.groupBy(schemas, ({ database }) => database)].map(([database, inside]) => ({
    dbName: database,
    schema: inside.map(({ schema }) => ({
      schemaName: schema,
      tableInfos: (bySchema.get(`${database}\0${schema}`) ?? []).map(({ table, columns }) => ({
        dbName: database,
        table,
        tableName: table,
        enable: true,
        columns: columns.map(({ name, type }) => ({ name, type })),
      })),
    })),
  }));
}
