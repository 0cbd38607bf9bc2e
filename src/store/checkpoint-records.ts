import type { CheckpointStore, StoredCheckpoint } from '../engine/engine.ts';
import { withCrashPoints } from '../lib/crash-point.ts';
import { parseJson, stringifyJson } from '../lib/json.ts';
import type { JsonObject } from '../lib/json-value.ts';
import type { CheckpointOwner, TableProgress } from '../pipeline/checkpoint.ts';
import { progressText } from '../pipeline/progress-text.ts';
import { tableKey } from '../pipeline/table.ts';
import type { Database } from './database.ts';

/** Checkpoints as small records: one for the run, one per table; a save writes what changed. */
export class CheckpointRecords implements CheckpointStore {
  readonly #database: Database;
  /** The records of each task as they are on disk, so that unchanged ones are not written again. */
  readonly #written = new Map<string, Map<string, string>>();

  constructor(database: Database) {
    this.#database = database;
  }

  async load({ installation, task, incarnation }: CheckpointOwner): Promise<StoredCheckpoint | null> {
    const row = this.#database.get(
      'SELECT * FROM checkpoint WHERE installation = ? AND task = ? AND incarnation = ?',
      installation,
      task,
      incarnation,
    );
    if (row === undefined) return null;
    const tables = this.#database.all(
      'SELECT progress FROM checkpoint_table WHERE installation = ? AND task = ?',
      installation,
      task,
    );
    return {
      checkpoint: {
        sequence: Number(row['sequence']),
        offset: parseJson(String(row['log_offset'])) as JsonObject,
        version: Number(row['version']),
        tables: tables.map(({ progress }) => parseJson(String(progress)) as unknown as TableProgress),
      },
      heldBySink: row['held'] === 1n,
    };
  }

  async save(
    { installation, task, incarnation }: CheckpointOwner,
    { checkpoint, heldBySink }: StoredCheckpoint,
  ): Promise<void> {
    const id = `${installation}/${task}/${incarnation}`;
    const written = this.#written.get(id) ?? new Map<string, string>();
    const write = () => {
      const texts = checkpoint.tables
        .map((progress) => [progress, progressText(progress)] as const)
        .filter(([progress, text]) => written.get(tableKey(progress.table)) !== text);
      if (written.size === 0)
        this.#database.run('DELETE FROM checkpoint_table WHERE installation = ? AND task = ?', installation, task);
      this.#database.run(
        `INSERT INTO checkpoint VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (installation, task) DO UPDATE SET incarnation = excluded.incarnation,
          sequence = excluded.sequence, log_offset = excluded.log_offset, version = excluded.version, held = excluded.held`,
        task,
        installation,
        incarnation,
        checkpoint.sequence,
        stringifyJson(checkpoint.offset),
        checkpoint.version,
        heldBySink ? 1 : 0,
      );
      for (const [progress, text] of texts) {
        this.#database.run(
          'INSERT OR REPLACE INTO checkpoint_table VALUES (?, ?, ?, ?, ?)',
          task,
          installation,
          progress.table.database,
          progress.table.table,
          text,
        );
      }
      return texts;
    };
    const changed = await withCrashPoints('checkpoint saved', () => this.#database.transaction(write));
    for (const [progress, text] of changed) written.set(tableKey(progress.table), text);
    this.#written.set(id, written);
  }

  async forget(installation: string, task: string): Promise<void> {
    await this.#database.transaction(() => {
      this.#database.run('DELETE FROM checkpoint WHERE installation = ? AND task = ?', installation, task);
      this.#database.run('DELETE FROM checkpoint_table WHERE installation = ? AND task = ?', installation, task);
      this.#database.run('DELETE FROM sink_journal WHERE installation = ? AND task = ?', installation, task);
    });
    for (const id of this.#written.keys()) if (id.startsWith(`${installation}/${task}/`)) this.#written.delete(id);
  }
}
