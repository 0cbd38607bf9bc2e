// A process with one way of reading the log in it, so that its memory is that way's alone. It reads from a place until the
// row that comes last, and says how many row changes came and how long it took since the first bytes were asked for.
import { connectRaw } from '../../src/connectors/mysql/connect.ts';
import { asMysqlSettings } from '../../src/connectors/mysql/options.ts';
import { Arena } from '../../src/connectors/hologres/encode/arena.ts';
import { RowEncoder } from '../../src/connectors/hologres/encode/row-encoder.ts';
import { Target } from '../../src/connectors/hologres/target.ts';
import type { Json } from '../../src/lib/json-value.ts';
import type { RowsPart } from '../../src/pipeline/batch.ts';
import type { Offset } from '../../src/pipeline/offset.ts';
import type { SourceTable } from '../../src/pipeline/source.ts';
import type { TableVersion } from '../../src/pipeline/table.ts';
import { EncodedRows } from '../encode/encoded-rows.ts';
import { JsonRows } from '../encode/json-rows.ts';
import { readParts } from './read-parts.ts';
import { readByZongji } from './zongji.ts';

export type EnvelopeWay = 'dataworks' | 'debezium' | 'debezium-schema' | 'canal';
/** `walk`: to the values, looking at none. */
export type DecodeWay = 'receive' | 'walk' | 'json' | 'copy' | 'zongji' | EnvelopeWay;

export interface DecodeOrder {
  readonly way: DecodeWay;
  readonly settings: Json;
  readonly table: SourceTable;
  /** The columns of the target, for COPY: name and PostgreSQL's type. */
  readonly columns: readonly (readonly [name: string, baseType: string])[];
  readonly offset: Offset;
  /** Row changes that are there. */
  readonly changes: number;
}

export interface DecodeResult {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly rows: number;
  readonly bytes: number;
  /** Of envelopes. */
  readonly records: number;
}

const KEPT_BYTES = 1 << 20;

process.on('message', (order: DecodeOrder) => {
  void measure(order).then((result) => {
    process.send?.(result);
  });
});

async function measure(order: DecodeOrder): Promise<DecodeResult> {
  const before = process.cpuUsage();
  const begun = performance.now();
  const { rows, bytes, records = 0 } = await WAYS[order.way](order);
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { seconds, cpuSeconds: (user + system) / 1e6, rows, bytes, records };
}

type Way = (order: DecodeOrder) => Promise<Pick<DecodeResult, 'rows' | 'bytes'> & Partial<DecodeResult>>;

const WAYS: Readonly<Record<DecodeWay, Way>> = {
  receive,
  walk: async (order) => ({ rows: await readParts(order, () => {}), bytes: 0 }),
  json: async (order) => {
    const json = new JsonRows();
    const rows = await readParts(order, (part) => json.write(part));
    json.flush();
    return { rows, bytes: json.total };
  },
  copy: async (order) => {
    const copy = new CopyRows(order);
    const rows = await readParts(order, (part) => copy.write(part));
    return { rows, bytes: copy.total };
  },
  zongji: readByZongji,
  dataworks: encode,
  debezium: encode,
  'debezium-schema': encode,
  canal: encode,
};

/** Makes the records of a Kafka envelope, sealed as if they were sent. */
async function encode(order: DecodeOrder): ReturnType<Way> {
  const encoded = new EncodedRows(order.way as EnvelopeWay);
  const rows = await readParts(order, (part) => encoded.write(part));
  encoded.seal();
  return { rows, bytes: encoded.bytes, records: encoded.records };
}

/** Takes packets until the log ends; looks into none of them. */
async function receive({ settings, offset, changes }: DecodeOrder): Promise<{ rows: number; bytes: number }> {
  const connection = await connectRaw(asMysqlSettings(settings));
  await connection.query(
    'SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum',
  );
  await connection.query('SET @mariadb_slave_capability = 4');
  const { reader } = connection;
  let bytes = 0;
  connection.dumpToEnd(String(offset['file'] as string), Number(offset['position']), 4242);
  for (;;) {
    while (reader.take()) {
      bytes += reader.end - reader.start;
      if (reader.buffer[reader.start] === 0xfe && reader.end - reader.start < 9) {
        connection.close();
        return { rows: changes, bytes };
      }
    }
    reader.release();
    await reader.more();
  }
}

/** Rows as PostgreSQL's COPY BINARY wants them: the after image, or the row that was deleted. */
class CopyRows {
  total = 0;
  readonly #arena = new Arena(2 * KEPT_BYTES);
  readonly #encoder = new RowEncoder(this.#arena);
  readonly #columns: DecodeOrder['columns'];
  readonly #targets = new Map<TableVersion, Target>();

  constructor({ columns }: DecodeOrder) {
    this.#columns = columns;
  }

  write(part: RowsPart): void {
    const layout = this.#target(part.table).layout(part.table);
    const image = part.op === 'delete' ? 'before' : 'after';
    this.#encoder.start(this.#arena, layout.columns, layout.wires);
    for (let row = 0; row < part.count; row += 1) {
      this.#encoder.row(layout.columns.length);
      for (const columns of layout.visits) part.visit(row, image, columns, this.#encoder);
    }
    this.total += this.#encoder.at - this.#arena.used;
    this.#arena.used = this.#encoder.at;
    if (this.#arena.used > KEPT_BYTES) this.#arena.reset(true);
  }

  #target(table: TableVersion): Target {
    const known = this.#targets.get(table);
    if (known !== undefined) return known;
    const columns = this.#columns.map(([name, baseType]) => ({ name, baseType, sql: baseType, nullable: true }));
    const target = new Target({ table, target: { schema: 's', table: 't' } }, columns);
    this.#targets.set(table, target);
    return target;
  }
}
