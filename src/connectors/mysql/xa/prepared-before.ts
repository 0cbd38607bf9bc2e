import { setTimeout as sleep } from 'node:timers/promises';
import { PipelineError } from '../../../pipeline/pipeline-error.ts';
import type { Questions } from '../connect.ts';
import { isDenied } from '../errors.ts';
import type { LogPosition } from '../offset/position.ts';
import type { ServerFacts } from '../server-facts.ts';
import { endOfLog } from '../offset/start-position.ts';

/** ER_XAER_RMERR: what MySQL answers without XA_RECOVER_ADMIN. */
const NO_RECOVER_RIGHT = 1401;
const WAIT_MS = 5000;
const STEP_MS = 50;

/**
 * Waits until every XA transaction that is prepared now has its outcome: their rows lie before the place where a first start
 * begins to read, and only what is loaded afterwards has them. Gives the end of the log then; null when the account may not
 * see them.
 * Errors: PipelineError `transient` MySQL.XaOpen after 5 s.
 */
export async function afterPreparedOnes(connection: Questions, facts: ServerFacts): Promise<LogPosition | null> {
  const open = await preparedXids(connection);
  if (open === null) return null;
  for (const deadline = Date.now() + WAIT_MS; open.size > 0; await sleep(STEP_MS)) {
    const now = (await preparedXids(connection)) ?? new Set();
    for (const xid of open) if (!now.has(xid)) open.delete(xid);
    if (open.size > 0 && Date.now() > deadline) {
      throw new PipelineError(
        'transient',
        'MySQL.XaOpen',
        `${open.size} XA transactions were prepared before the start and have no outcome: their rows would be missed`,
        { hint: 'XA COMMIT or XA ROLLBACK what XA RECOVER shows; the run tries again by itself.' },
      );
    }
  }
  return endOfLog(connection, facts);
}

async function preparedXids(connection: Questions): Promise<Set<string> | null> {
  try {
    const rows = await connection.query('XA RECOVER');
    return new Set(rows.map((row) => `${row['formatID']} ${row['gtrid_length']} ${row['data']}`));
  } catch (error) {
    if (isDenied(error) || (error as { errno?: number }).errno === NO_RECOVER_RIGHT) return null;
    throw error;
  }
}
