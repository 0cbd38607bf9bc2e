import type { Column, TableId, TableVersion, ValueType } from '../../../pipeline/table.ts';

/** A Connect schema, as Connect's JsonConverter writes it. */
interface Schema {
  readonly type: string;
  readonly optional: boolean;
  readonly name?: string;
  readonly version?: number;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly default?: string;
  readonly items?: Schema;
  readonly fields?: readonly Field[];
}
type Field = Schema & { readonly field: string };

/** The first part of the names of a table's schemas: what Avro takes as a name. */
function nameOf(sourceName: string, { database, table }: TableId): string {
  return [sourceName, database, table].map((part) => part.replaceAll(/[^A-Za-z0-9_]/g, '_')).join('.');
}

export function keySchema(sourceName: string, { id, columns }: TableVersion, key: readonly number[]): string {
  const fields = key.flatMap((index) => fieldOf(columns[index]));
  return JSON.stringify({ type: 'struct', fields, optional: false, name: `${nameOf(sourceName, id)}.Key` });
}

export function valueSchema(sourceName: string, system: string, { id, columns }: TableVersion): string {
  const name = nameOf(sourceName, id);
  const image = { type: 'struct', fields: columns.flatMap(fieldOf), optional: true, name: `${name}.Value` };
  const fields: readonly Field[] = [
    { ...image, field: 'before' },
    { ...image, field: 'after' },
    { ...sourceSchema(system), field: 'source' },
    { type: 'string', optional: false, field: 'op' },
    ...TIMES,
    { ...TRANSACTION, field: 'transaction' },
  ];
  return JSON.stringify({ type: 'struct', fields, optional: false, name: `${name}.Envelope`, version: 2 });
}

const TIMES: readonly Field[] = ['ts_ms', 'ts_us', 'ts_ns'].map((field) => ({ type: 'int64', optional: true, field }));

const TRANSACTION: Schema = {
  type: 'struct',
  fields: [
    { type: 'string', optional: false, field: 'id' },
    { type: 'int64', optional: false, field: 'total_order' },
    { type: 'int64', optional: false, field: 'data_collection_order' },
  ],
  optional: true,
  name: 'event.block',
  version: 1,
};

function sourceSchema(system: string): Schema {
  return {
    type: 'struct',
    fields: [
      { type: 'string', optional: false, field: 'version' },
      { type: 'string', optional: false, field: 'connector' },
      { type: 'string', optional: false, field: 'name' },
      { type: 'int64', optional: false, field: 'ts_ms' },
      { type: 'int64', optional: true, field: 'ts_us' },
      { type: 'int64', optional: true, field: 'ts_ns' },
      {
        type: 'string',
        optional: true,
        name: 'io.debezium.data.Enum',
        version: 1,
        parameters: { allowed: 'true,first,first_in_data_set,last_in_data_set,last,false,incremental' },
        default: 'false',
        field: 'snapshot',
      },
      { type: 'string', optional: false, field: 'db' },
      { type: 'string', optional: true, field: 'sequence' },
      { type: 'string', optional: true, field: 'table' },
      { type: 'int64', optional: false, field: 'server_id' },
      { type: 'string', optional: true, field: 'gtid' },
      { type: 'string', optional: false, field: 'file' },
      { type: 'int64', optional: false, field: 'pos' },
      { type: 'int32', optional: false, field: 'row' },
      { type: 'int64', optional: true, field: 'thread' },
      { type: 'string', optional: true, field: 'query' },
    ],
    optional: false,
    name: `io.debezium.connector.${system}.Source`,
  };
}

function fieldOf(column: Column | undefined): Field[] {
  if (column === undefined) return [];
  return [{ ...typeOf(column.type), optional: column.nullable, field: column.name }];
}

function typeOf(type: ValueType): Omit<Schema, 'optional'> {
  switch (type.kind) {
    case 'integer':
      return { type: integerType(type.bytes, type.unsigned) };
    case 'decimal':
      return { type: 'string' };
    case 'float':
      return { type: 'float' };
    case 'double':
      return { type: 'double' };
    case 'text':
      return { type: 'string' };
    case 'bytes':
      return { type: 'bytes' };
    case 'date':
      return { type: 'int32', name: 'io.debezium.time.Date', version: 1 };
    case 'time':
      return { type: 'int64', name: 'io.debezium.time.MicroTime', version: 1 };
    case 'datetime':
      return { type: 'int64', name: `io.debezium.time.${type.fraction > 3 ? 'Micro' : ''}Timestamp`, version: 1 };
    case 'instant':
      return { type: 'string', name: 'io.debezium.time.ZonedTimestamp', version: 1 };
    case 'year':
      return { type: 'int32', name: 'io.debezium.time.Year', version: 1 };
    case 'bits':
      if (type.width === 1) return { type: 'boolean' };
      return { type: 'bytes', name: 'io.debezium.data.Bits', version: 1, parameters: { length: String(type.width) } };
    case 'label': {
      const name = `io.debezium.data.Enum${type.set ? 'Set' : ''}`;
      return { type: 'string', name, version: 1, parameters: { allowed: type.labels.join(',') } };
    }
    case 'json':
      return { type: 'string', name: 'io.debezium.data.Json', version: 1 };
    case 'geometry':
      return {
        type: 'struct',
        fields: [
          { type: 'bytes', optional: false, field: 'wkb' },
          { type: 'int32', optional: true, field: 'srid' },
        ],
        name: 'io.debezium.data.geometry.Geometry',
        version: 1,
      };
    case 'vector':
      return {
        type: 'array',
        items: { type: 'float', optional: false },
        name: 'io.debezium.data.FloatVector',
        version: 1,
      };
  }
}

/** Unsigned integers are one size up; BIGINT UNSIGNED is said to be int64, as Debezium has it, and written exactly. */
function integerType(bytes: number, unsigned: boolean): string {
  if (bytes === 1) return 'int16';
  if (bytes === 2) return unsigned ? 'int32' : 'int16';
  if (bytes === 3) return 'int32';
  return bytes === 4 && !unsigned ? 'int32' : 'int64';
}
