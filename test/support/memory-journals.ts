import type { JournalStore } from '../../src/engine/engine.ts';
import type { CheckpointOwner } from '../../src/pipeline/checkpoint.ts';
import type { JournalEntry, SinkJournal } from '../../src/pipeline/journal.ts';

/** Journals as the store keeps them, in memory. */
export class MemoryJournals implements JournalStore {
  readonly #entries = new Map<string, { incarnation: string; revision: number; record: string }>();

  async read({ installation, task, incarnation }: CheckpointOwner): Promise<JournalEntry> {
    const entry = this.#entries.get(`${installation}/${task}`);
    if (entry === undefined) return { revision: 0, record: null };
    return { revision: entry.revision, record: entry.incarnation === incarnation ? entry.record : null };
  }

  async write(
    { installation, task, incarnation }: CheckpointOwner,
    record: string,
    after: number,
  ): Promise<number | null> {
    const key = `${installation}/${task}`;
    if ((this.#entries.get(key)?.revision ?? 0) !== after) return null;
    this.#entries.set(key, { incarnation, revision: after + 1, record });
    return after + 1;
  }

  forget({ installation, task }: CheckpointOwner): void {
    this.#entries.delete(`${installation}/${task}`);
  }

  /** As a sink of this owner has it. */
  of(owner: CheckpointOwner): SinkJournal {
    return {
      read: () => this.read(owner),
      write: (record, after) => this.write(owner, record, after),
    };
  }
}
