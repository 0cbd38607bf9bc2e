import type { JournalStore } from '../engine/engine.ts';
import { withCrashPoints } from '../lib/crash-point.ts';
import type { CheckpointOwner } from '../pipeline/checkpoint.ts';
import type { JournalEntry } from '../pipeline/journal.ts';
import type { Database } from './database.ts';

/** The records of sinks that note what they are about to do; an incarnation replaces the record of the one before. */
export class JournalRecords implements JournalStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async read({ installation, task, incarnation }: CheckpointOwner): Promise<JournalEntry> {
    const row = this.#database.get(
      'SELECT incarnation, revision, record FROM sink_journal WHERE installation = ? AND task = ?',
      installation,
      task,
    );
    if (row === undefined) return { revision: 0, record: null };
    return {
      revision: Number(row['revision']),
      record: row['incarnation'] === incarnation ? String(row['record']) : null,
    };
  }

  async write(
    { installation, task, incarnation }: CheckpointOwner,
    record: string,
    after: number,
  ): Promise<number | null> {
    const { changes } = await withCrashPoints('journal written', () =>
      this.#database.transaction(() =>
        after === 0
          ? this.#database.run(
              'INSERT INTO sink_journal VALUES (?, ?, ?, 1, ?) ON CONFLICT DO NOTHING',
              task,
              installation,
              incarnation,
              record,
            )
          : this.#database.run(
              `UPDATE sink_journal SET incarnation = ?, revision = revision + 1, record = ?
                WHERE installation = ? AND task = ? AND revision = ?`,
              incarnation,
              record,
              installation,
              task,
              after,
            ),
      ),
    );
    return changes === 1 ? after + 1 : null;
  }
}
