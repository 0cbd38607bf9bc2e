import { mysqlConnector } from '../../src/connectors/mysql/connector.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { RowsPart } from '../../src/pipeline/batch.ts';
import { DEFAULT_DDL_POLICIES, DEFAULT_FAILOVER_LIMIT } from '../../src/pipeline/policies.ts';
import type { DecodeOrder } from './decode-process.ts';

/** Reads the product's own way: source, batches, parts. */
export async function readParts({ settings, table, offset, changes }: DecodeOrder, write: (part: RowsPart) => void) {
  const source = mysqlConnector.open({
    settings,
    options: mysqlConnector.parseOptions({}),
    policies: { ddl: DEFAULT_DDL_POLICIES, errorLimit: 0, failover: DEFAULT_FAILOVER_LIMIT },
    memoryBytes: 128 << 20,
    log: silentLog,
  });
  const over = new AbortController();
  const batches = source.read({
    after: offset,
    tables: { version: 1, tables: [table] },
    start: null,
    signal: over.signal,
  });
  let rows = 0;
  for await (const batch of batches) {
    for (const part of batch.parts) {
      if (part.kind !== 'rows') continue;
      write(part);
      rows += part.count;
    }
    if (rows >= changes) break;
  }
  await source.close();
  return rows;
}
