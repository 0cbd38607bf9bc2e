import type { Client } from 'pg';
import { parseJson, stringifyJson } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import type { Checkpoint, CheckpointOwner, TableProgress } from '../../pipeline/checkpoint.ts';
import { progressText } from '../../pipeline/progress-text.ts';
import { tableKey } from '../../pipeline/table.ts';
import { sqlStateOf } from './errors.ts';

import { withTextArrays, withTexts, type Statement } from './protocol/statement.ts';

export const CHECKPOINT_SCHEMA = 'disync';

const CREATE = [
  'CREATE SCHEMA IF NOT EXISTS disync',
  `CREATE TABLE IF NOT EXISTS disync.checkpoint (
    installation text NOT NULL, task text NOT NULL, incarnation text NOT NULL, sequence bigint NOT NULL,
    "offset" text NOT NULL, version integer NOT NULL, saved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (installation, task))`,
  `CREATE TABLE IF NOT EXISTS disync.checkpoint_table (
    installation text NOT NULL, task text NOT NULL, "database" text NOT NULL, "table" text NOT NULL, state text NOT NULL,
    PRIMARY KEY (installation, task, "database", "table"))`,
];

/*
 * Compare and set: the row must be as this instance last saw or wrote it (or, at the first commit of an incarnation, be
 * absent or another incarnation's). When it is not, the division by zero refuses the statement, and with it the
 * transaction: no second round trip is needed to find out.
 */
const SAVE = `WITH saved AS (
  INSERT INTO disync.checkpoint AS c (installation, task, incarnation, sequence, "offset", version)
  SELECT $1, $2, $3, $4::bigint, $5, $6::integer
  WHERE $7::bigint IS NULL OR EXISTS (SELECT FROM disync.checkpoint WHERE installation = $1 AND task = $2)
  ON CONFLICT (installation, task) DO UPDATE SET incarnation = excluded.incarnation, sequence = excluded.sequence,
    "offset" = excluded."offset", version = excluded.version, saved_at = now()
  WHERE CASE WHEN $7::bigint IS NULL THEN c.incarnation <> excluded.incarnation
    ELSE c.incarnation = excluded.incarnation AND c.sequence = $7::bigint END
  RETURNING 1)
  SELECT 1 / count(*) FROM saved`;

const SAVE_TABLES = `INSERT INTO disync.checkpoint_table (installation, task, "database", "table", state)
  SELECT i[1], t[1], d, n, s FROM (SELECT $1::text[] AS i, $2::text[] AS t) owner,
    unnest($3::text[], $4::text[], $5::text[]) AS changed(d, n, s)
  ON CONFLICT (installation, task, "database", "table") DO UPDATE SET state = excluded.state`;

const DELETE_TABLES = `DELETE FROM disync.checkpoint_table USING unnest($3::text[], $4::text[]) AS gone(d, n)
  WHERE installation = ($1::text[])[1] AND task = ($2::text[])[1] AND "database" = gone.d AND "table" = gone.n`;

const DELETE_ALL_TABLES = 'DELETE FROM disync.checkpoint_table WHERE installation = $1 AND task = $2';

interface TableRecord {
  readonly database: string;
  readonly table: string;
  readonly state: string;
}

/**
 * The checkpoint of one owner inside the target database: one row for the run, one per table; a commit writes the table
 * rows that changed. Used by one connection at a time.
 */
export class CheckpointTable {
  readonly #owner: CheckpointOwner;
  /** As this instance last saw or wrote it; null before the first commit of the incarnation. */
  #sequence: number | null = null;
  #records = new Map<string, TableRecord>();

  constructor(owner: CheckpointOwner) {
    this.#owner = owner;
  }

  /** Creates what is missing. False when the account may not. */
  static async create(client: Client): Promise<boolean> {
    const { rows } = await client.query<{ there: boolean }>(
      "SELECT to_regclass('disync.checkpoint') IS NOT NULL AND to_regclass('disync.checkpoint_table') IS NOT NULL AS there",
    );
    try {
      if (rows[0]?.there !== true) for (const sql of CREATE) await client.query(sql);
      // A right that is missing shows here, and not at the first commit.
      await client.query('DELETE FROM disync.checkpoint_table WHERE false');
      await client.query('UPDATE disync.checkpoint SET version = version WHERE false');
      return true;
    } catch (error) {
      const state = sqlStateOf(error);
      // Two runs may create them at the same moment: whoever comes second finds them on another try.
      if (state === '23505' || state === '42710' || state === '42P06' || state === '42P07')
        return CheckpointTable.create(client);
      if (state === '42501' || state === '25006') return false;
      throw error;
    }
  }

  /** What is stored for this incarnation; null when there is none. */
  async load(client: Client): Promise<Checkpoint | null> {
    const { installation, task, incarnation } = this.#owner;
    this.#sequence = null;
    this.#records = new Map();
    const found = await client.query<{ sequence: string; offset: string; version: number }>(
      'SELECT sequence, "offset", version FROM disync.checkpoint WHERE installation = $1 AND task = $2 AND incarnation = $3',
      [installation, task, incarnation],
    );
    const row = found.rows[0];
    if (row === undefined) return null;
    const tables = await client.query<TableRecord>(
      'SELECT "database", "table", state FROM disync.checkpoint_table WHERE installation = $1 AND task = $2',
      [installation, task],
    );
    this.#sequence = Number(row.sequence);
    this.#records = new Map(tables.rows.map((record) => [tableKey(record), record]));
    return {
      sequence: this.#sequence,
      offset: parseJson(row.offset) as JsonObject,
      version: row.version,
      tables: tables.rows.map(({ state }) => parseJson(state) as unknown as TableProgress),
    };
  }

  /** The statements that save a checkpoint; the first of them refuses when another instance has written. */
  statements(checkpoint: Checkpoint): readonly Statement[] {
    const { installation, task, incarnation } = this.#owner;
    const { sequence, offset, version } = checkpoint;
    const before = this.#sequence === null ? null : String(this.#sequence);
    const save = withTexts(SAVE, [
      installation,
      task,
      incarnation,
      String(sequence),
      stringifyJson(offset),
      String(version),
      before,
    ]);
    const fresh = this.#sequence === null ? [withTexts(DELETE_ALL_TABLES, [installation, task])] : [];
    const { changed, gone } = this.#changes(checkpoint);
    const owner = [[installation], [task]];
    return [
      save,
      ...fresh,
      ...(changed.length === 0
        ? []
        : [withTextArrays(SAVE_TABLES, [...owner, ...arraysOf(changed), changed.map(({ state }) => state)])]),
      ...(gone.length === 0 ? [] : [withTextArrays(DELETE_TABLES, [...owner, ...arraysOf(gone)])]),
    ];
  }

  /** The statements of this checkpoint are durable. */
  saved(checkpoint: Checkpoint): void {
    this.#sequence = checkpoint.sequence;
    this.#records = recordsOf(checkpoint);
  }

  #changes(checkpoint: Checkpoint) {
    const records = recordsOf(checkpoint);
    const changed = [...records].filter(([key, { state }]) => this.#records.get(key)?.state !== state);
    const gone = [...this.#records].filter(([key]) => !records.has(key));
    return { changed: changed.map(([, record]) => record), gone: gone.map(([, record]) => record) };
  }
}

/** Removes the checkpoints of every incarnation of a task; none, or no such table, is fine. */
export async function forgetCheckpoint(client: Client, installation: string, task: string): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>(
    "SELECT to_regclass('disync.checkpoint') IS NOT NULL AND to_regclass('disync.checkpoint_table') IS NOT NULL AS there",
  );
  if (rows[0]?.there !== true) return;
  await client.query(
    `WITH tables AS (DELETE FROM disync.checkpoint_table WHERE installation = $1 AND task = $2)
     DELETE FROM disync.checkpoint WHERE installation = $1 AND task = $2`,
    [installation, task],
  );
}

/** By the object: most tables have the very same progress from one checkpoint to the next. */
const RECORDS = new WeakMap<TableProgress, TableRecord>();

function recordsOf({ tables }: Checkpoint): Map<string, TableRecord> {
  return new Map(tables.map((progress) => [tableKey(progress.table), recordOf(progress)]));
}

function recordOf(progress: TableProgress): TableRecord {
  const known = RECORDS.get(progress);
  if (known !== undefined) return known;
  const { database, table } = progress.table;
  const record = { database, table, state: progressText(progress) };
  RECORDS.set(progress, record);
  return record;
}

function arraysOf(records: readonly TableRecord[]): readonly (readonly string[])[] {
  return [records.map(({ database }) => database), records.map(({ table }) => table)];
}
