import { Arena } from './encode/arena.ts';
import { TableBuffer } from './encode/table-buffer.ts';
import type { Target } from './target.ts';

/** What the index of a table's changes takes for one row, while it grows. */
const INDEX_BYTES_PER_ROW = 64;

/** What is done to a target before the rows of a commit. */
export interface Alteration {
  readonly target: Target;
  /** Behind ALTER TABLE and the target's name. */
  readonly clause: string;
}

/** All that one commit will write. Two of them take turns: one is filled while the other is written. */
export class CommitBuffer {
  readonly arena: Arena;
  /** Rows after merging by key. */
  rows = 0;
  /** Rows among them, before merging, that a load brought. */
  loaded = 0;
  /** Rows that their targets have refused. */
  refused = 0;
  alterations: Alteration[] = [];
  readonly #buffers = new Map<Target, TableBuffer>();
  readonly #touched = new Set<Target>();

  constructor(bytesMax: number) {
    // A commit ends on a source transaction, so it exceeds a little what was asked for.
    this.arena = new Arena(Math.ceil(bytesMax * 1.25));
  }

  get bytes(): number {
    return this.arena.used + this.rows * INDEX_BYTES_PER_ROW;
  }

  /** The changes of one target, which are then part of the commit. */
  of(target: Target): TableBuffer {
    this.#touched.add(target);
    const known = this.#buffers.get(target);
    if (known !== undefined) return known;
    const buffer = new TableBuffer();
    this.#buffers.set(target, buffer);
    return buffer;
  }

  /** The targets with changes, in the order in which they came. */
  *changes(): Generator<readonly [Target, TableBuffer]> {
    for (const target of this.#touched) yield [target, this.of(target)];
  }

  /** Leaves a target out of this commit. */
  exclude(target: Target): void {
    const buffer = this.#buffers.get(target);
    if (buffer !== undefined && this.#touched.delete(target)) this.rows -= buffer.count;
    this.#buffers.delete(target);
    this.alterations = this.alterations.filter((alteration) => alteration.target !== target);
  }

  /** `isWritten`: all of it was answered. */
  reset(isWritten: boolean): void {
    for (const target of this.#touched) {
      if (target.ready) this.#buffers.get(target)?.reset();
      else this.#buffers.delete(target);
    }
    this.#touched.clear();
    this.alterations = [];
    this.rows = 0;
    this.loaded = 0;
    this.refused = 0;
    this.arena.reset(isWritten);
  }
}
