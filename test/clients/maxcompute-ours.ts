import { compress } from '../../src/connectors/maxcompute/protocol/compression.ts';
import { bucketOf, hashOfInteger } from '../../src/connectors/maxcompute/protocol/key-hash.ts';
import { tunnelEndpoint } from '../../src/connectors/maxcompute/protocol/project-facts.ts';
import { RowStream } from '../../src/connectors/maxcompute/protocol/row-stream.ts';
import { type RowValue, writeRow } from '../../src/connectors/maxcompute/protocol/row-value.ts';
import { ServiceClient, type ServiceSettings } from '../../src/connectors/maxcompute/protocol/service-client.ts';
import { runSql } from '../../src/connectors/maxcompute/protocol/sql-instance.ts';
import { StreamSession } from '../../src/connectors/maxcompute/protocol/stream-session.ts';
import type { SessionColumn } from '../../src/connectors/maxcompute/protocol/tunnel-target.ts';
import { UploadSession } from '../../src/connectors/maxcompute/protocol/upload-session.ts';
import { UPSERT_OPERATION, UpsertSession } from '../../src/connectors/maxcompute/protocol/upsert-session.ts';
import { LOG_COLUMNS, LOG_ROWS } from './maxcompute-rows.ts';

const PROJECT = 'p';
const ROWS_PACKED = 'deflate';

/** Writes with sessions of ours what the client reads then: `ours_log`, `ours_lines` and `ours_users`. */
export async function writeOurs(settings: ServiceSettings): Promise<void> {
  const service = new ServiceClient(settings);
  const tunnel = new ServiceClient({ ...settings, endpoint: await tunnelEndpoint(service, PROJECT) });
  const columns = Object.entries(LOG_COLUMNS).map(([name, type]) => `${name} ${type}`);
  for (const query of [
    `CREATE TABLE ours_log (${columns.join()}) PARTITIONED BY (pt STRING)`,
    'CREATE TABLE ours_lines (id BIGINT, name STRING)',
    `CREATE TABLE ours_users (id BIGINT NOT NULL, name STRING, PRIMARY KEY (id)) TBLPROPERTIES ('transactional'='true')`,
  ])
    await runSql(service, { project: PROJECT, query });
  await upload(tunnel);
  await stream(tunnel);
  await upsert(tunnel);
  tunnel.close();
  service.close();
}

async function upload(tunnel: ServiceClient): Promise<void> {
  const target = { project: PROJECT, table: 'ours_log', partition: 'pt=1' };
  const session = await UploadSession.begin(tunnel, target, { overwrite: false, createPartition: true });
  await session.writeBlock(0, await packed(session.columns, LOG_ROWS), ROWS_PACKED);
  await session.commit();
}

async function stream(tunnel: ServiceClient): Promise<void> {
  const session = await StreamSession.begin(
    tunnel,
    { project: PROJECT, table: 'ours_lines' },
    { createPartition: false },
  );
  for (const id of [0n, 1n]) {
    const rows = await packed(session.columns, [[id, `line ${id}`]]);
    await session.write({ rows: 1, packed: rows, compression: ROWS_PACKED });
  }
}

/** A hundred users, of whom the even ones are deleted again. */
async function upsert(tunnel: ServiceClient): Promise<void> {
  const session = await UpsertSession.begin(tunnel, { project: PROJECT, table: 'ours_users' });
  const all = Array.from({ length: 100 }, (_, id) => id);
  const changes = [
    ...all.map((id) => ({ id, name: `user ${id}`, operation: UPSERT_OPERATION.UPSERT })),
    ...all.filter((id) => id % 2 === 0).map((id) => ({ id, name: null, operation: UPSERT_OPERATION.DELETE })),
  ];
  const byBucket = Map.groupBy(changes, ({ id }) => bucketOf(hashOfInteger(session.hasher, id), session.buckets));
  for (const [bucket, of] of byBucket) {
    const rows = of.map(({ id, name, operation }) => [BigInt(id), name, null, null, BigInt(operation), null, []]);
    const body = await packed(session.columns, rows);
    await session.write(bucket, { rows: rows.length, packed: body, compression: ROWS_PACKED });
  }
  await session.commit();
}

function packed(columns: readonly SessionColumn[], rows: readonly (readonly RowValue[])[]): Promise<Uint8Array> {
  const of = new RowStream();
  const types = columns.map(({ type }) => type);
  for (const row of rows) writeRow(of, types, row);
  return compress(of.finish(), ROWS_PACKED);
}
