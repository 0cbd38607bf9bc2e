import type { ApiRanges } from './api-ranges.ts';

/** What a release was the first to serve, newest first: a request's key, and its version. */
const FIRST_SERVED: readonly (readonly [release: string, key: number, version: number])[] = [
  ['4.2', 2, 11],
  ['4.1', 0, 13],
  ['4.0', 0, 12],
  ['3.9', 1, 17],
  ['3.8', 16, 5],
  ['3.7', 1, 16],
  ['3.5', 1, 15],
  ['3.3', 35, 4],
  ['3.2', 11, 9],
  ['3.1', 1, 13],
  ['3.0', 2, 7],
  ['2.8', 60, 0],
  ['2.7', 1, 12],
  ['2.6', 48, 0],
  ['2.5', 22, 3],
  ['2.4', 0, 8],
  ['2.3', 1, 11],
  ['2.2', 2, 5],
];

/** The release that all brokers are of at least, such as `Kafka 4.1`: brokers do not say it, but what they serve does. */
export function releaseOf(ranges: ApiRanges): string {
  const found = FIRST_SERVED.find(([, key, version]) => ranges.most(key) >= version);
  return found === undefined ? 'Kafka before 2.2' : `Kafka ${found[0]}`;
}
