import type { RowsPart } from '../../../pipeline/batch.ts';
import type { KeyLayout } from './key-layout.ts';
import type { KeyWriter } from './key-text.ts';
import type { Memory } from './memory.ts';
import { murmur2, partitionOf } from './partitioner.ts';
import type { KeyPlace } from './record-frame.ts';
import type { TableTopic } from './table-topic.ts';

/** The keys of one row after another, side by side in memory of their own. */
export class Keys<L extends KeyLayout> {
  readonly before: KeyPlace;
  readonly after: KeyPlace;
  /** The empty key. */
  readonly none: KeyPlace;
  /** An update gave the row another key. */
  isChanged = false;
  readonly #memory: Memory;
  readonly #writer: KeyWriter<L>;

  /** `writer` writes into `memory`. */
  constructor(memory: Memory, writer: KeyWriter<L>) {
    this.#memory = memory;
    this.#writer = writer;
    this.before = { memory, start: 0, end: 0 };
    this.after = { memory, start: 0, end: 0 };
    this.none = { memory, start: 0, end: 0 };
  }

  read(part: RowsPart, row: number, layout: L): void {
    const { before, after } = this;
    const { writer } = this.#writer;
    writer.use(this.#memory, 0);
    if (part.op === 'update' || part.op === 'delete') this.#writer.key(part, row, 'before', layout);
    before.end = writer.at;
    after.start = writer.at;
    if (part.op !== 'delete') this.#writer.key(part, row, 'after', layout);
    after.end = writer.at;
    this.isChanged = part.op === 'update' && !this.#isSame();
  }

  partition({ start, end }: KeyPlace, layout: KeyLayout, { partitions }: TableTopic): number {
    if (layout.partition >= 0) return layout.partition;
    return partitionOf(murmur2(this.#memory.bytes, start, end), partitions);
  }

  /** Gives back what long keys took. */
  giveBack(): void {
    this.#memory.shrink(0);
  }

  #isSame(): boolean {
    const { bytes } = this.#memory;
    const length = this.before.end;
    if (this.after.end !== 2 * length) return false;
    for (let index = 0; index < length; index += 1) if (bytes[index] !== bytes[length + index]) return false;
    return true;
  }
}
