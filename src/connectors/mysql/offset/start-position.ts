import { PipelineError } from '../../../pipeline/pipeline-error.ts';
import type { Questions } from '../connect.ts';
import type { LogPosition } from './position.ts';
import { readLogEnd, type ServerFacts } from '../server-facts.ts';

/** Where the log ends now: where a first start begins. Errors: PipelineError `fatal` when the server writes none. */
export async function endOfLog(connection: Questions, facts: ServerFacts): Promise<LogPosition> {
  const end = await readLogEnd(connection, facts);
  if (end === null)
    throw new PipelineError('fatal', 'MySQL.LogOff', `${facts.title} writes no binary log`, {
      hint: 'Start the server with --log-bin.',
    });
  return end;
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
  let oldest: number | undefined;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const name = files[middle]?.name ?? '';
    const begun = await begunAt(name);
    if (middle === 0) oldest = begun;
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
      oldest === undefined
        ? 'the log is empty'
        : `startTime is ${timeText(seconds)}, and the log reaches back to ${timeText(oldest)} only (${files[0]?.name})`,
      {
        hint: `Choose a later startTime${oldest === undefined ? '' : `, from ${oldest + 1} on`}, or startPosition for all that the log has, or start without either and load the existing rows.`,
      },
    );
  }
  return { file: found, position: 4 };
}

function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
