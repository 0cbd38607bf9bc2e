import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MysqlTable } from '../../src/connectors/mysql/types.ts';

/** What one server sent of its binary log, with what a reader must know of its tables. */
export interface RecordedLog {
  /** Such as `MariaDB 10.11.19`. */
  readonly server: string;
  /** As they were when the log begins. */
  readonly tables: readonly MysqlTable[];
  /** Character sets by the numbers of their collations. */
  readonly charsets: Readonly<Record<string, string>>;
  readonly streams: readonly RecordedStream[];
}

export interface RecordedStream {
  /** `served` is read to its end; `surprises` may end with a named error. */
  readonly name: 'served' | 'surprises';
  /** The payloads of the packets, base64. */
  readonly packets: readonly string[];
}

/** Recorded by `npm run test:long -- record-logs`; one file per server. */
export const LOG_VECTORS = join(import.meta.dirname, '..', 'vectors', 'logs');

export function recordedLogs(): RecordedLog[] {
  return readdirSync(LOG_VECTORS)
    .sort()
    .map((name) => JSON.parse(readFileSync(join(LOG_VECTORS, name), 'utf8')) as RecordedLog);
}
