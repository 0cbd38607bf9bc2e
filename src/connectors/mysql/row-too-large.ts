import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { TableId } from '../../pipeline/table.ts';
import type { PacketTooLarge } from './protocol/packet-reader.ts';

/** A row, or an event of several, is longer than the memory of a run allows. Without a table it stands in the log, and ends the run. */
export function rowTooLarge(
  { bytes }: PacketTooLarge,
  { what, bytesMax, table }: { readonly what: string; readonly bytesMax: number; readonly table?: TableId },
): PipelineError {
  const times = Math.ceil((bytes / bytesMax) * 10) / 10;
  return new PipelineError(
    table === undefined ? 'fatal' : 'table',
    'MySQL.RowTooLarge',
    `${what} takes ${bytes} bytes or more; the memory of a run has room for ${bytesMax}`,
    {
      ...(table === undefined ? {} : { table }),
      hint: `Start the service with ${times} times its runMemoryMb or more, then ${table === undefined ? 'start the task: it goes on where it was' : 'deploy the task again'}.`,
    },
  );
}
