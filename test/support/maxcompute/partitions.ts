import { Refusal } from './refusal.ts';
import type { DoubleTable } from './tables.ts';

const LEVELS_MAX = 6;
const PARTITIONS_MAX = 60_000;
const VALUE_BYTES_MAX = 255;
/** What the values of partitions may be made of. */
const VALUE = /^[A-Za-z0-9 :_$#.!@-]+$/;

/** Refuses what the service does not take as a new partition of the table: ODPS-0123031. */
export function checkPartition(table: DoubleTable, partition: string): void {
  const levels = partition.split(',').map((level) => level.slice(level.indexOf('=') + 1));
  if (levels.length > LEVELS_MAX) invalid(`a table has ${LEVELS_MAX} levels of partitions at most`);
  for (const value of levels)
    if (!VALUE.test(value) || Buffer.byteLength(value) > VALUE_BYTES_MAX)
      invalid('the value of a partition is not valid');
  if (!table.partitions.has(partition) && table.partitions.size >= PARTITIONS_MAX)
    invalid(`a table has ${PARTITIONS_MAX} partitions at most`);
}

function invalid(what: string): never {
  throw new Refusal(400, 'InvalidPartitionSpec', `ODPS-0123031: Partition exception - ${what}`);
}
