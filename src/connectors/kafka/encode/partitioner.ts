import type { TableId } from '../../../pipeline/table.ts';

/** How records are spread: by key as the Java client does, a table to one partition, or everything to the first. */
export type Partitioner = 'key' | 'table' | 'fixed';

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/** The hash that the Java client's default partitioner takes of a key (org.apache.kafka.common.utils.Utils.murmur2). Signed. */
export function murmur2(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let hash = SEED ^ length;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    let four = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    four = Math.imul(four, MULTIPLIER);
    four ^= four >>> 24;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(four, MULTIPLIER);
  }
  const left = length & 3;
  if (left === 3) hash ^= bytes[at + 2]! << 16;
  if (left >= 2) hash ^= bytes[at + 1]! << 8;
  if (left >= 1) hash = Math.imul(hash ^ bytes[at]!, MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return (hash ^ (hash >>> 15)) | 0;
}

/** Java's String.hashCode. Signed. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}

/** The partition of a hash, among `partitions`. */
export function partitionOf(hash: number, partitions: number): number {
  return (hash & 0x7fffffff) % partitions;
}

/** The hash of a table: all that has no key of its own, and with the partitioner `table` everything of it, goes to one partition. */
export function tableHash({ database, table }: TableId): number {
  return javaHash(`${database}.${table}`);
}
