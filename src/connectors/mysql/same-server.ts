import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { RawConnection } from './protocol/raw-connection.ts';
import { IDENTITY, identityOf } from './server-facts.ts';

/**
 * Behind one address there may be several servers, as after a failover: each connection of a run must lead to the same.
 * Errors: PipelineError `transient`: the run begins anew, and finds out where the other one stands (C13).
 */
export async function checkSameServer(connection: RawConnection, identity: string): Promise<void> {
  const names = IDENTITY.map((name) => `'${name}'`).join();
  const rows = await connection.query(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names})`);
  const found = identityOf(new Map(rows.map(([name, value]) => [name ?? '', value ?? ''])));
  if (found !== identity) throw otherServer(identity, found);
}

export function otherServer(identity: string, found: string): PipelineError {
  return new PipelineError(
    'transient',
    'MySQL.ServerChanged',
    `the address of the data source led to server ${identity}, and now to ${found}`,
    { hint: 'The run begins anew at the server that answers then.' },
  );
}
