import { PipelineError } from '../../../pipeline/pipeline-error.ts';
import type { StartPoint } from '../../../pipeline/source.ts';
import type { Questions } from '../connect.ts';
import { describePosition, fileNumber, type LogPosition } from './position.ts';
import { type Opening, openAtEnd, openAtFile, openAtGtids, type OpenServer } from './resume.ts';
import { fileOfTime, logFiles } from './start-position.ts';

/** Where a first start begins to read: at the end of the log, or where it was asked for. Errors: PipelineError `fatal`. */
export async function openFirst(server: OpenServer, start: StartPoint | null): Promise<Opening> {
  switch (start?.kind) {
    case undefined:
      return openAtEnd(server);
    case 'time': {
      const begunAt = async (name: string) => (await server.headOf(name)).begun;
      return openAtFile(server, (await fileOfTime(server.connection, start.seconds, begunAt)).file);
    }
    case 'position':
      await checkReach(server.connection, start);
      // From the head of the file, so that the place is known to lie between two transactions, and what was prepared before.
      return {
        ...(await openAtFile(server, start.file)),
        deliveredUntil: { file: start.file, position: start.position },
      };
    case 'gtids':
      return openAtGtids(server, start.gtids);
  }
}

/** Errors: PipelineError `fatal` when the log does not reach there. */
async function checkReach(connection: Questions, { file, position }: LogPosition): Promise<void> {
  const files = await logFiles(connection);
  const size = files.find(({ name }) => name === file)?.size;
  if (size !== undefined && position <= size) return;
  const [oldest, newest] = [files[0], files.at(-1)];
  const reach =
    oldest === undefined || newest === undefined
      ? 'it is empty'
      : `it reaches from ${oldest.name}:4 to ${newest.name}:${newest.size}`;
  throw new PipelineError(
    'fatal',
    'MySQL.StartPosition',
    size === undefined
      ? `the log has no file ${file}: ${reach}`
      : `${file} ends at ${size}, before the position ${position} that was asked for; the log: ${reach}`,
    { hint: 'Start with another startPosition, or without one and load the existing rows.' },
  );
}

/**
 * The log was read up to `reached`, as `wanted` was asked for; `before` is the last place between two transactions before.
 * Errors: PipelineError `fatal` when `wanted` is no such place.
 */
export function checkPlace(wanted: LogPosition, reached: LogPosition, before: LogPosition): void {
  if (reached.file === wanted.file && reached.position === wanted.position) return;
  // Behind the rotation at its end a file has nothing: that is the head of the next one.
  if (fileNumber(reached.file) === fileNumber(wanted.file) + 1 && reached.position === 4) return;
  throw new PipelineError(
    'fatal',
    'MySQL.StartPosition',
    `${describePosition(wanted)} is not between two transactions`,
    {
      hint: `Start at ${describePosition(before)}, or at ${describePosition(reached)}.`,
    },
  );
}
