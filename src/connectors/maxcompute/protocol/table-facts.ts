import Type from 'typebox';
import Value from 'typebox/value';
import { parseColumnType } from './column-type.ts';
import type { ServiceClient } from './service-client.ts';
import { ServiceError } from './service-error.ts';
import type { SessionColumn, TunnelTarget } from './tunnel-target.ts';
import { tagText } from './xml.ts';

/*
 * GET /projects/P/tables/T?extended&curr_project=P[&curr_schema=S] answers
 *
 *   <Table> … <Schema format="Json">{ columns, partitionKeys, Reserved: "{ Transactional, PrimaryKey }" }</Schema> </Table>
 *
 * where the schema is JSON text, and Reserved JSON text within it.
 */
const Column = Type.Object({ name: Type.String(), type: Type.String(), isNullable: Type.Optional(Type.Boolean()) });
const TableSchema = Type.Object({
  columns: Type.Array(Column),
  partitionKeys: Type.Optional(Type.Array(Column)),
  recordNum: Type.Optional(Type.Number()),
  Reserved: Type.Optional(Type.String()),
});
const Reserved = Type.Object({
  Transactional: Type.Optional(Type.Union([Type.String(), Type.Boolean()])),
  PrimaryKey: Type.Optional(Type.Array(Type.String())),
});

export interface TableFacts {
  readonly columns: readonly SessionColumn[];
  /** The names of its levels; empty for a table without partitions. */
  readonly partitionColumns: readonly string[];
  /** Empty unless it is a Delta table. */
  readonly primaryKey: readonly string[];
  /** As the service counts them, at times late; null where it does not say. */
  readonly rows: number | null;
}

/** What the service knows of a table; null if there is none, nor such a project. Errors: ServiceError. */
export async function tableFacts(
  client: ServiceClient,
  { project, schema, table }: TunnelTarget,
  signal?: AbortSignal,
): Promise<TableFacts | null> {
  const params: [string, string][] = [
    ['extended', ''],
    ['curr_project', project],
  ];
  if (schema !== undefined) params.push(['curr_schema', schema]);
  try {
    const { body } = await client.repeat(
      { method: 'GET', path: ['projects', project, 'tables', table], params },
      signal,
    );
    return readTable(body.toString());
  } catch (error) {
    if (error instanceof ServiceError && error.status === 404 && isMissingTable(error)) return null;
    throw error;
  }
}

function isMissingTable({ code, message }: ServiceError): boolean {
  return ['NoSuchObject', 'NoSuchTable'].includes(code) || `${code} ${message}`.includes('ODPS-0130131');
}

function readTable(xml: string): TableFacts {
  const schema = Value.Parse(TableSchema, JSON.parse(tagText(xml, 'Schema') ?? ''));
  const { Transactional, PrimaryKey = [] } = Value.Parse(Reserved, JSON.parse(schema.Reserved ?? '{}'));
  return {
    columns: schema.columns.map(({ name, type, isNullable = true }) => ({
      name,
      type: parseColumnType(type),
      nullable: isNullable,
    })),
    partitionColumns: (schema.partitionKeys ?? []).map(({ name }) => name),
    primaryKey: String(Transactional ?? '') === 'true' ? PrimaryKey : [],
    rows: schema.recordNum === undefined || schema.recordNum < 0 ? null : schema.recordNum,
  };
}
