import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { Questions } from './connect.ts';
import { describePosition, fileBase, fileNumber, type LogPosition, type MysqlOffset } from './position.ts';
import { readLogEnd, type ServerFacts } from './server-facts.ts';

const NEW_LOAD = 'Terminate the task and start it again with a new load.';

/** Where the log ends now: where a first start begins. Errors: PipelineError `fatal` when the server writes none. */
export async function endOfLog(connection: Questions, facts: ServerFacts): Promise<LogPosition> {
  const end = await readLogEnd(connection, facts);
  if (end === null)
    throw new PipelineError('fatal', 'MySQL.LogOff', `${facts.title} writes no binary log`, {
      hint: 'Start the server with --log-bin.',
    });
  return end;
}

/**
 * Makes sure that the log can be resumed at `offset`: the same server, with the same history, still holding the file.
 * Errors: PipelineError `fatal` that says which of these does not hold. Never moves to another place (C11, C12, C13).
 */
export async function checkOffset(connection: Questions, facts: ServerFacts, offset: MysqlOffset): Promise<void> {
  const stop = (code: string, message: string, hint: string) => new PipelineError('fatal', code, message, { hint });
  if (offset.server !== facts.identity) {
    throw stop(
      'MySQL.OtherServer',
      `the task was reading server ${offset.server}, this is ${facts.identity}`,
      `Point the data source at the former server, or: ${NEW_LOAD}`,
    );
  }
  const files = await logFiles(connection);
  const from = offset.readFrom ?? offset;
  const file = files.find(({ name }) => name === from.file);
  const newest = files.at(-1);
  if (file === undefined) {
    if (
      newest !== undefined &&
      fileBase(newest.name) === fileBase(from.file) &&
      fileNumber(newest.name) > fileNumber(from.file)
    ) {
      throw stop(
        'MySQL.BinlogPurged',
        `the server no longer has ${from.file}; its oldest log is ${files[0]?.name}`,
        `${NEW_LOAD} Keep the binary log longer than the longest stop.`,
      );
    }
    throw stop(
      'MySQL.HistoryChanged',
      `the server has no ${from.file}; its newest log is ${newest?.name ?? 'none'}: its log was begun anew`,
      NEW_LOAD,
    );
  }
  const reached = files.find(({ name }) => name === offset.file);
  if (reached === undefined || reached.size < offset.position) {
    throw stop(
      'MySQL.HistoryChanged',
      `${describePosition(offset)} is beyond the end of the log: the server was rewound or restored`,
      NEW_LOAD,
    );
  }
}

/** The log files that the server holds, oldest first. */
export async function logFiles(connection: Questions): Promise<{ name: string; size: number }[]> {
  const rows = await connection.query('SHOW BINARY LOGS');
  return rows.map((row) => ({ name: row['Log_name'] ?? '', size: Number(row['File_size']) }));
}

/**
 * The file in which the log of `seconds` (since the epoch) lies; the reader drops rows that are older.
 * `begunAt` tells when a file was begun. Errors: PipelineError `fatal` when the log does not reach back so far.
 */
export async function fileOfTime(
  connection: Questions,
  seconds: number,
  begunAt: (file: string) => Promise<number>,
): Promise<LogPosition> {
  const files = await logFiles(connection);
  let low = 0;
  let high = files.length - 1;
  let found: string | undefined;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const name = files[middle]?.name ?? '';
    const begun = await begunAt(name);
    // A file that was begun in that very second may have one before it that holds changes of the second too.
    if (begun < seconds || (begun === seconds && middle === 0)) {
      found = name;
      low = middle + 1;
    } else high = middle - 1;
  }
  if (found === undefined) {
    throw new PipelineError(
      'fatal',
      'MySQL.StartTimePurged',
      `the log begins with ${files[0]?.name ?? 'nothing'}, after the start time asked for`,
      {
        hint: 'Choose a later startTime, or start without one and load the existing rows.',
      },
    );
  }
  return { file: found, position: 4 };
}
