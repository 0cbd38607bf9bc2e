import Type, { type Static } from 'typebox';
import { type ColumnType, parseColumnType } from './column-type.ts';
import type { Call, Reply } from './service-client.ts';

/** Where rows go. `schema` is the middle one of three names, where the project has them. */
export interface TunnelTarget {
  readonly project: string;
  readonly schema?: string;
  readonly table: string;
  /** Every level, such as `pt=20240101,region=cn`; the same for a whole session. */
  readonly partition?: string;
}

/** A call about a session of the target: `/projects/P[/schemas/S]/tables/T[/KIND]`. */
export function tunnelCall(
  target: TunnelTarget,
  {
    kind,
    params,
    headers,
    ...call
  }: Pick<Call, 'method' | 'params' | 'headers' | 'body'> & { kind?: 'upserts' | 'streams' },
): Call {
  const { project, schema, table, partition } = target;
  return {
    ...call,
    path: [
      'projects',
      project,
      ...(schema === undefined ? [] : ['schemas', schema]),
      'tables',
      table,
      ...(kind === undefined ? [] : [kind]),
    ],
    params: [
      ...params,
      ...(partition === undefined ? [] : [['partition', partition] as const]),
      ['curr_project', project],
    ],
    headers: {
      'x-odps-tunnel-version': '6',
      'odps-tunnel-date-transform': 'v1',
      'odps-tunnel-sdk-support-schema-evolution': 'true',
      ...headers,
    },
  };
}

/** Errors: Error if the tunnel wants datetimes in the old form, local time, which is not written here. */
export function refuseLocalDatetimes({ headers }: Reply): void {
  if (headers['odps-tunnel-date-transform'] === 'true')
    throw new Error('the tunnel wants datetimes in local time, which is not supported');
}

/** The columns as a session has them: a column's place here, from 1, is its number on the wire. */
export const SessionSchema = Type.Object({
  columns: Type.Array(
    Type.Object({ name: Type.String(), type: Type.String(), nullable: Type.Optional(Type.Boolean()) }),
  ),
});

export interface SessionColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
}

export function sessionColumns({ columns }: Static<typeof SessionSchema>): SessionColumn[] {
  return columns.map(({ name, type, nullable = true }) => ({ name, type: parseColumnType(type), nullable }));
}
