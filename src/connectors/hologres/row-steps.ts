import type { Arena } from './encode/arena.ts';
import type { RowLayout } from './encode/row-layout.ts';
import { selectRows } from './encode/select-rows.ts';
import { ENTRY, type TableBuffer } from './encode/table-buffer.ts';
import { copyRows, writeColumnArrays, writeFields, type EncodedRows } from './encode/write-rows.ts';
import { plain, type Statement } from './protocol/statement.ts';
import { copyFrom, copyStaging, deleteByKeys, deleteUnnest, mergeStaging, upsertUnnest } from './sql.ts';
import type { StagingTables } from './staging-tables.ts';
import type { Target } from './target.ts';

/** A statement of a commit, and whose it is. */
export interface Step {
  readonly statement: Statement;
  /** Null for what concerns no table: the checkpoint, BEGIN, COMMIT. */
  readonly target: Target | null;
  /** A COPY straight into the target: when it is refused for a key that is there, merging is tried instead. */
  readonly direct: boolean;
}

export interface RowStepsOptions {
  readonly arena: Arena;
  readonly target: Target;
  readonly buffer: TableBuffer;
  /** The entries to write: all of the buffer, or some when a refused row is looked for. */
  readonly from: number;
  readonly to: number;
  /** Where rows are staged; null on the fixed path. */
  readonly staging: StagingTables | null;
  readonly direct: boolean;
}

/** Fewer rows than this are not worth a COPY into the target itself. */
const DIRECT_ROWS_MIN = 20;
/** Nor these a COPY into a staging table and a merge of it, which the server empties at each commit. */
const STAGED_ROWS_MIN = 500;
const UNNEST_ROWS_MAX = 2000;
const UNNEST_BYTES_MAX = 400 * 1024;
/** Keys per DELETE of the fixed path; always a power of two, so that few statements are prepared. */
const DELETE_KEYS_MAX = 256;
const PARAMETERS_MAX = 32767;

const UPSERTS = (1 << ENTRY.UPSERT) | (1 << ENTRY.FRESH);

/** The statements that write one target's merged changes: all deletes, then all upserts (their keys are distinct). */
export function rowSteps(options: RowStepsOptions): readonly Step[] {
  const { buffer, target } = options;
  const steps: Step[] = [];
  const add = (statement: Statement, direct = false) => steps.push({ statement, target, direct });
  if (buffer.empty) add(plain(`TRUNCATE ${target.sql}`));
  for (const [version, layout] of buffer.layouts.entries()) {
    const select = (states: number) => rowsOf(options, version, states);
    // Nothing is left to delete in a target that was just emptied.
    if (!buffer.empty) for (const statement of deletes(options, layout, select(1 << ENTRY.DELETE))) add(statement);
    if (options.staging === null) {
      for (const statement of unnestUpserts(target, layout, select(UPSERTS))) add(statement);
      continue;
    }
    const rows = select(UPSERTS);
    const fresh = buffer.empty ? rows : select(1 << ENTRY.FRESH);
    const direct = options.direct && fresh.entries.length >= DIRECT_ROWS_MIN && (buffer.empty || target.takesDirect());
    if (direct) add(copy(copyFrom(target.sql, layout.columns), fresh), true);
    if (direct && buffer.empty) continue;
    const rest = direct ? select(1 << ENTRY.UPSERT) : rows;
    for (const statement of merge(options.staging, target, layout, rest)) add(statement);
  }
  return steps;
}

function rowsOf({ arena, buffer, from, to }: RowStepsOptions, version: number, states: number): EncodedRows {
  return { arena, buffer, entries: selectRows(buffer, { states, version, from, to }) };
}

function merge(staging: StagingTables, target: Target, layout: RowLayout, rows: EncodedRows): readonly Statement[] {
  if (rows.entries.length < STAGED_ROWS_MIN) return unnestUpserts(target, layout, rows);
  const name = staging.of(target, layout);
  return [copy(copyStaging(name), rows), plain(mergeStaging(target.sql, name, layout), true)];
}

function copy(text: string, rows: EncodedRows): Statement {
  return { text, types: [], prepared: true, copy: copyRows(rows) };
}

function unnestUpserts(target: Target, layout: RowLayout, rows: EncodedRows): readonly Statement[] {
  const text = upsertUnnest(target.sql, layout);
  const types = layout.columns.map(() => 0);
  return chunks(rows, UNNEST_ROWS_MAX, UNNEST_BYTES_MAX).map((chunk) => ({
    text,
    types,
    prepared: true,
    parameters: (out) => writeColumnArrays(out, chunk, layout.columns),
  }));
}

function deletes(options: RowStepsOptions, layout: RowLayout, rows: EncodedRows): readonly Statement[] {
  const keys = layout.columns.slice(0, layout.keyCount);
  if (options.staging === null) return deletesByKey(options.target, layout, rows);
  const text = deleteUnnest(options.target.sql, keys);
  return chunks(rows, UNNEST_ROWS_MAX, UNNEST_BYTES_MAX).map((chunk) => ({
    text,
    types: keys.map(() => 0),
    prepared: true,
    parameters: (out) => writeColumnArrays(out, chunk, keys),
  }));
}

function deletesByKey(target: Target, layout: RowLayout, rows: EncodedRows): readonly Statement[] {
  const keys = layout.columns.slice(0, layout.keyCount);
  const statements: Statement[] = [];
  let from = 0;
  for (let size = Math.min(DELETE_KEYS_MAX, floorPowerOfTwo(PARAMETERS_MAX / keys.length)); size >= 1; size /= 2) {
    const text = deleteByKeys(target.sql, keys, size);
    const types = Array.from({ length: size * keys.length }, () => 0);
    for (; rows.entries.length - from >= size; from += size) {
      const some = { ...rows, entries: rows.entries.subarray(from, from + size) };
      statements.push({ text, types, prepared: true, parameters: (out) => writeFields(out, some, keys.length) });
    }
  }
  return statements;
}

function floorPowerOfTwo(limit: number): number {
  return 2 ** Math.floor(Math.log2(limit));
}

/** Cuts rows into pieces of at most so many rows and, but for a single huge one, bytes. */
function chunks(rows: EncodedRows, rowsMax: number, bytesMax: number): readonly EncodedRows[] {
  const { entries, buffer } = rows;
  const found: EncodedRows[] = [];
  let from = 0;
  let bytes = 0;
  for (const [index, entry] of entries.entries()) {
    const size = buffer.lengths[entry] ?? 0;
    if (index > from && (index - from >= rowsMax || bytes + size > bytesMax)) {
      found.push({ ...rows, entries: entries.subarray(from, index) });
      from = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < entries.length) found.push({ ...rows, entries: entries.subarray(from) });
  return found;
}
