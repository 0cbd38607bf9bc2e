// How many rows become bytes of MaxCompute's tunnel in a second of one core: eight columns, no compression, no network. First by the
// codec alone, from values at hand; then as the sink does it, from the visits of a part by way of a commit's buffer to row streams.
// npm run bench -- tunnel-encode [--n ROWS]
import { daysFromCivil } from '../src/lib/civil.ts';
import { parseColumnType } from '../src/connectors/maxcompute/protocol/column-type.ts';
import { readRows } from '../test/support/maxcompute/read-rows.ts';
import { RowStream, WIRE_TYPE } from '../src/connectors/maxcompute/protocol/row-stream.ts';
import type { RunOptions } from '../scripts/run-named.ts';
import { median } from './support/median.ts';
import { EncodedRows } from './encode/maxcompute-rows.ts';
import { printFigures } from './support/report.ts';

const ROWS = 100_000;
const ROUNDS = 8;
const TYPES = ['bigint', 'string', 'string', 'double', 'boolean', 'decimal(18,4)', 'date', 'datetime'];
const AIM = { atLeast: 580_000 };
const TARGETS = { rowsPerSecond: AIM, appendRowsPerSecond: AIM, logRowsPerSecond: AIM, deltaRowsPerSecond: AIM };

export async function run({ n }: RunOptions): Promise<void> {
  const rows = n ?? ROWS;
  const stream = new RowStream();
  const figures: Record<string, number> = { rowsPerSecond: measure('the codec', rows, () => encode(stream, rows)) };
  check(stream);
  for (const form of ['append', 'log', 'delta'] as const) {
    const encoded = new EncodedRows(form);
    figures[`${form}RowsPerSecond`] = measure(`the sink, ${form}`, rows, () => encoded.write(rows));
    encoded.check();
  }
  printFigures('tunnel-encode', figures, TARGETS);
}

/** Rows in a second of processor time: the median of all rounds. `once` gives the bytes. */
function measure(what: string, rows: number, once: () => number): number {
  const samples: number[] = [];
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    bytes = once();
    const { user, system } = process.cpuUsage(before);
    samples.push(rows / ((user + system) / 1e6));
  }
  const rowsPerSecond = Math.round(median(samples));
  console.log(
    `  ${what}: ${rows.toLocaleString('en')} rows of ${Math.round(bytes / rows)} bytes, ${ROUNDS} rounds: ` +
      `${rowsPerSecond.toLocaleString('en')} rows per CPU second`,
  );
  return rowsPerSecond;
}

const NAMES = Array.from({ length: 64 }, (_, index) => Buffer.from(`customer number ${index}`));
const NOTES = Array.from({ length: 64 }, (_, index) => Buffer.from(`物流 order ${index} shipped with care`));
const AMOUNTS = Array.from({ length: 64 }, (_, index) => Buffer.from(`${index * 7919}.${1000 + index}`));
const FIRST_DAY = daysFromCivil(2024, 1, 1);
const FIRST_MILLISECOND = FIRST_DAY * 86_400_000;

function encode(stream: RowStream, rows: number): number {
  stream.reset();
  for (let row = 0; row < rows; row += 1) {
    const name = NAMES[row & 63] ?? Buffer.alloc(0);
    const note = NOTES[row & 63] ?? Buffer.alloc(0);
    const amount = AMOUNTS[row & 63] ?? Buffer.alloc(0);
    stream.field(1, WIRE_TYPE.VARINT);
    stream.integer(5_000_000_000 + row);
    stream.field(2, WIRE_TYPE.BYTES);
    stream.blob(name, 0, name.length);
    stream.field(3, WIRE_TYPE.BYTES);
    stream.blob(note, 0, note.length);
    stream.field(4, WIRE_TYPE.FIXED64);
    stream.double(row / 3);
    stream.field(5, WIRE_TYPE.VARINT);
    stream.boolean(row & 1);
    stream.field(6, WIRE_TYPE.BYTES);
    stream.blob(amount, 0, amount.length);
    stream.field(7, WIRE_TYPE.VARINT);
    stream.integer(FIRST_DAY + (row & 255));
    stream.field(8, WIRE_TYPE.VARINT);
    stream.integer(FIRST_MILLISECOND + row);
    stream.endRow();
  }
  return stream.finish().length;
}

/** What was measured must be what a reader accepts. */
function check(stream: RowStream): void {
  const count = 1000;
  encode(stream, count);
  const read = readRows(stream.bytes.subarray(0, stream.at), TYPES.map(parseColumnType));
  if (read.length !== count) throw new Error(`${read.length} of ${count} rows were read back`);
}
