// Row changes per second of the Hologres sink alone: rows in memory, through the visitor, into a real PostgreSQL that
// syncs every commit.
// npm run bench -- sink-hologres [--n CHANGES]
import process from 'node:process';
import { DEFAULT_HOST_POLICY } from '../src/lib/host-policy.ts';
import type { RunOptions } from '../scripts/run-named.ts';
import { type Server, startServer } from '../scripts/servers/servers.ts';
import { hologresConnector } from '../src/connectors/hologres/connector.ts';
import { silentLog } from '../src/lib/log.ts';
import { SCRIPTED_PLACE } from '../test/support/scripted-rows.ts';
import type { Batch, RowImage, RowOp, RowsPart } from '../src/pipeline/batch.ts';
import { DEFAULT_DDL_POLICIES, DEFAULT_FAILOVER_LIMIT } from '../src/pipeline/policies.ts';
import type { ColumnSet, TableVersion } from '../src/pipeline/table.ts';
import type { ValueVisitor } from '../src/pipeline/value-visitor.ts';
import { scriptedTable } from '../test/support/scripted-rows.ts';
import { connectTarget } from './support/connections.ts';
import { printFigures, TARGET_SETTINGS, targetContent } from './support/report.ts';
import { MemoryJournals } from '../test/support/memory-journals.ts';

const ROWS_PER_PART = 19;
const ROWS_PER_BATCH = 2_000;
const COMMIT_ROWS = Number(process.env['COMMIT_ROWS'] ?? 50_000);
const COMMIT_BYTES = Number(process.env['COMMIT_BYTES'] ?? 16 * 1024 * 1024);

const TABLE: TableVersion = scriptedTable(
  'bench',
  'sbtest',
  {
    id: { kind: 'integer', bytes: 8, unsigned: false },
    k: { kind: 'integer', bytes: 4, unsigned: false },
    c: { kind: 'text' },
    pad: { kind: 'text' },
    updated_at: { kind: 'datetime', fraction: 3 },
    amount: { kind: 'decimal', precision: 12, scale: 2 },
  },
  ['id'],
);

/** The workload: 1 M inserts, 0.8 M updates of rows that are there, 0.2 M deletes; without repeats, each key changes once per phase. */
class Workload {
  readonly ids: Float64Array;
  readonly ops: Uint8Array;

  constructor(changes: number, repeat: boolean) {
    this.ids = new Float64Array(changes);
    this.ops = new Uint8Array(changes);
    let next = 1;
    let seed = 42;
    const random = (limit: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return seed % limit;
    };
    if (repeat) {
      for (let i = 0; i < changes; i++) {
        const dice = random(20);
        this.ops[i] = dice < 10 || next < 1000 ? 0 : dice < 18 ? 1 : 2;
        // Rows are changed soon after they came, as in the measured workload.
        this.ids[i] = this.ops[i] === 0 ? next++ : Math.max(1, next - 1 - random(10_000));
      }
      return;
    }
    const half = changes >> 1;
    for (let i = 0; i < changes; i++) {
      this.ops[i] = i < half ? 0 : i % 5 === 0 ? 2 : 1;
      // Every key once in the second half, scattered.
      this.ids[i] = i < half ? i + 1 : (((((i - half) * 7919) % half) + half) % half) + 1;
    }
  }
}

const OPS: readonly RowOp[] = ['insert', 'update', 'delete'];
const TEXT = Buffer.from('38014276128-25250245652-62722561801-27818678124-24890218270-18312424692-'.repeat(4));
const AMOUNT = Buffer.from('531574.99');

class BenchPart implements RowsPart {
  readonly kind = 'rows';
  readonly op: RowOp;
  readonly table = TABLE;
  readonly count: number;
  readonly timeMicros = 0;
  readonly place = SCRIPTED_PLACE;
  readonly #ids: Float64Array;
  readonly #from: number;

  constructor(op: RowOp, ids: Float64Array, from: number, count: number) {
    this.op = op;
    this.count = count;
    this.#ids = ids;
    this.#from = from;
  }

  visit(row: number, _image: RowImage, columns: ColumnSet, visitor: ValueVisitor): void {
    const at = this.#from + row;
    for (const index of columns.indexes) {
      switch (index) {
        case 0:
          visitor.integer(this.#ids[at] ?? 0);
          break;
        case 1:
          visitor.integer(at);
          break;
        case 2:
          visitor.text(TEXT, at & 63, (at & 63) + 120);
          break;
        case 3:
          visitor.text(TEXT, at & 31, (at & 31) + 60);
          break;
        case 4:
          visitor.datetime(2026, 1 + (at % 12), 1 + (at % 28), at % 24, at % 60, 7, (at % 1000) * 1000);
          break;
        default:
          visitor.decimal(AMOUNT, 0, AMOUNT.length);
      }
    }
  }
}

function* batches({ ids, ops }: Workload): Generator<Batch> {
  let parts: RowsPart[] = [];
  let rows = 0;
  for (let from = 0; from < ids.length; ) {
    let to = from + 1;
    while (to < ids.length && ops[to] === ops[from] && to - from < ROWS_PER_PART) to++;
    parts.push(new BenchPart(OPS[ops[from] ?? 0] ?? 'insert', ids, from, to - from));
    rows += to - from;
    from = to;
    if (rows < ROWS_PER_BATCH && from < ids.length) continue;
    yield {
      parts,
      rows,
      bytes: rows,
      offset: { at: from },
      transactionEnd: true,
      version: 1,
      timeMicros: null,
      caughtUp: false,
      heldSinceMicros: null,
    };
    parts = [];
    rows = 0;
  }
}

export async function run({ n }: RunOptions): Promise<void> {
  const changes = n ?? 2_000_000;
  const figures: Record<string, unknown> = {};
  for (const path of ['staging', 'fixed'] as const) {
    for (const keys of ['repeat', 'distinct'] as const) {
      const target = await startServer('postgres', TARGET_SETTINGS);
      try {
        figures[`${path}-${keys}`] = await measure(target, path, new Workload(changes, keys === 'repeat'));
      } finally {
        await target.stop();
      }
    }
  }
  printFigures('sink-hologres', figures, {});
}

async function measure(target: Server, path: 'staging' | 'fixed', workload: Workload) {
  const sink = hologresConnector.open({
    settings: hologresConnector.parseSettings(targetContent(target, 'postgres'), DEFAULT_HOST_POLICY),
    options: hologresConnector.parseOptions({
      writePath: path,
      commitRowsMax: COMMIT_ROWS,
      commitBytesMax: COMMIT_BYTES,
    }),
    sourceName: 'source',
    owner: { installation: 'bench', task: '1', incarnation: '1' },
    policies: { ddl: DEFAULT_DDL_POLICIES, errorLimit: 0, failover: DEFAULT_FAILOVER_LIMIT },
    memoryBytes: 128 << 20,
    journal: new MemoryJournals().of({ installation: 'bench', task: '1', incarnation: '1' }),
    log: silentLog,
  });
  await sink.recover();
  const failed = await sink.prepare([{ table: TABLE, target: { schema: 'bench', table: 'sbtest' } }]);
  if (failed.length > 0) throw failed[0]?.error ?? new Error('not prepared');
  const cpu = process.cpuUsage();
  const started = performance.now();
  let sequence = 0;
  let written = 0;
  let committing: Promise<void> = Promise.resolve();
  const commit = (batch: Batch) => {
    const checkpoint = { sequence: ++sequence, offset: batch.offset, version: 1, tables: [] };
    return sink.commit(checkpoint).then((result) => {
      written += result.rowsWritten;
      if (result.failed.length > 0) throw result.failed[0]?.error ?? new Error('failed');
    });
  };
  let rssMax = 0;
  let last: Batch | null = null;
  for (const batch of batches(workload)) {
    await sink.write(batch);
    last = batch;
    const { rows, bytes } = sink.load();
    if (rows < COMMIT_ROWS && bytes < COMMIT_BYTES) {
      // A source reads from a socket between two batches.
      await new Promise(setImmediate);
      continue;
    }
    await committing;
    committing = commit(batch);
    rssMax = Math.max(rssMax, process.memoryUsage.rss());
  }
  await committing;
  if (last !== null) await commit(last);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const client = await connectTarget(target);
  const { rows } = await client.query<{ rows: string }>('SELECT count(*) AS rows FROM bench.sbtest');
  await client.end();
  await sink.close();
  return {
    rowsPerSecond: Math.round(workload.ids.length / seconds),
    writtenPerSecond: Math.round(written / seconds),
    commits: sequence,
    cpuSeconds: Number(((user + system) / 1e6).toFixed(2)),
    rssMiB: Math.round(rssMax / 1048576),
    targetRows: Number(rows[0]?.rows),
  };
}
