import { BinlogReader, type ReaderIds } from '../binlog-reader.ts';
import type { MysqlSettings } from '../options.ts';
import * as ev from '../protocol/event.ts';
import { readGtidList, readPreviousGtids } from '../protocol/file-gtids.ts';

/** What the first events of a log file tell. */
export interface FileHead {
  /** When it was begun, seconds since the epoch. */
  readonly begun: number;
  /** What was executed before it: the text of a set, or on MariaDB of a position; null when it does not tell. */
  readonly gtids: string | null;
}

/** Reads the head of a file that the server holds. Errors: PipelineError. */
export async function readFileHead(settings: MysqlSettings, file: string, ids: ReaderIds): Promise<FileHead> {
  const reader = await BinlogReader.open(settings, { file, position: 4 }, ids);
  let begun: number | null = null;
  try {
    for (;;) {
      while (!reader.take()) await reader.more();
      const { type, buffer, bodyStart, bodyEnd } = reader;
      if (type === ev.FORMAT_DESCRIPTION) begun = reader.timestamp;
      else if (type === ev.PREVIOUS_GTIDS)
        return { begun: begun ?? 0, gtids: readPreviousGtids(buffer, bodyStart, bodyEnd) };
      else if (type === ev.MARIADB_GTID_LIST)
        return { begun: begun ?? 0, gtids: readGtidList(buffer, bodyStart, bodyEnd) };
      else if (begun !== null && type !== ev.MARIADB_START_ENCRYPTION) return { begun, gtids: null };
      reader.release();
    }
  } finally {
    reader.close();
  }
}
