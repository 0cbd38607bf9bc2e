import { checkPartition } from './partitions.ts';
import { Refusal } from './refusal.ts';
import type { DoubleTable } from './tables.ts';

/** The partition that a call begins a session of; '' for a table without. */
export function partitionOf(table: DoubleTable, params: URLSearchParams, create: boolean): string {
  const partition = params.get('partition') ?? '';
  if (table.partitionColumns.length === 0) {
    if (partition !== '') throw new Refusal(400, 'InvalidPartitionSpec', 'the table has no partitions');
    return '';
  }
  if (partition === '') throw new Refusal(400, 'MissingPartitionSpec', 'the table has partitions');
  const names = partition.split(',').map((level) => level.split('=')[0]);
  if (names.join() !== table.partitionColumns.join())
    throw new Refusal(400, 'InvalidPartitionSpec', `the levels are ${table.partitionColumns.join()}`);
  if (!table.partitions.has(partition)) {
    if (!create) throw new Refusal(404, 'NoSuchPartition', `there is no partition ${partition}`);
    checkPartition(table, partition);
    table.partitions.set(partition, []);
  }
  return partition;
}

/** The session that a call names, which must be of the table and partition that it names. */
export function sessionOf<T extends { readonly table: DoubleTable; readonly partition: string }>(
  sessions: ReadonlyMap<string, T>,
  table: DoubleTable,
  { params, id, missing }: { params: URLSearchParams; id: string; missing: string },
): T {
  const session = sessions.get(params.get(id) ?? '');
  if (session === undefined || session.table !== table) throw new Refusal(404, missing, 'there is no such session');
  if ((params.get('partition') ?? '') !== session.partition)
    throw new Refusal(400, 'InvalidResourceSpec', 'the session is of another partition');
  return session;
}
