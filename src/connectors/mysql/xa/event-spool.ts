import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PipelineError } from '../../../pipeline/pipeline-error.ts';
import { XID } from '../protocol/event.ts';
import type { EventSlot, NestedEvents } from '../protocol/nested-events.ts';

/** [ type 1 ][ timestamp 4 ][ bytes of the body 4 ] */
const HEADER = 9;
const MEMORY_BYTES = 1 << 20;
/** What all spools of a run keep in memory; beyond it each keeps a little only, so that not every one is a file. */
const MEMORY_BYTES_ALL = 16 << 20;
const MEMORY_BYTES_SCARCE = 16 << 10;
const READ_BYTES = 256 * 1024;

/** What all spools of a run may take together. */
export interface SpoolQuota {
  readonly bytesMax: number;
  bytes: number;
  /** Of them, in memory. */
  inMemory: number;
}

/**
 * Events that wait to be handed on: in memory, and beyond 1 MiB (less where many wait) in a file without a name, of which
 * nothing stays when the process ends.
 *
 * Errors: PipelineError `fatal` MySQL.XaSpillFull past the quota, `transient` MySQL.XaSpillFailed when the disk does not take it.
 */
export class EventSpool {
  /** Row events in it. */
  rowEvents = 0;
  readonly #quota: SpoolQuota;
  #bytes = 0;
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #file: number | null = null;
  #fileBytes = 0;

  constructor(quota: SpoolQuota) {
    this.#quota = quota;
  }

  add({ type, timestamp, buffer, bodyStart, bodyEnd }: EventSlot): void {
    const frame = Buffer.allocUnsafe(HEADER + bodyEnd - bodyStart);
    frame[0] = type;
    frame.writeUInt32LE(timestamp, 1);
    frame.writeUInt32LE(bodyEnd - bodyStart, 5);
    buffer.copy(frame, HEADER, bodyStart, bodyEnd);
    this.#quota.bytes += frame.length;
    this.#bytes += frame.length;
    if (this.#quota.bytes > this.#quota.bytesMax) {
      throw new PipelineError(
        'fatal',
        'MySQL.XaSpillFull',
        `prepared XA transactions take more than the ${this.#quota.bytesMax} bytes that may wait for their outcome`,
        {
          hint: 'XA COMMIT or XA ROLLBACK what XA RECOVER shows, or raise the reader’s xaSpillBytesMax; then start the task again: it goes on where it was.',
        },
      );
    }
    this.#chunks.push(frame);
    this.#chunkBytes += frame.length;
    this.#quota.inMemory += frame.length;
    if (this.#chunkBytes > (this.#quota.inMemory > MEMORY_BYTES_ALL ? MEMORY_BYTES_SCARCE : MEMORY_BYTES))
      this.#spill();
  }

  /** The events again, and behind them the end of a transaction. */
  replay(): NestedEvents {
    return new SpooledEvents((at) => this.#read(at), this.#bytes);
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
    this.#forgetChunks();
    this.#quota.bytes -= this.#bytes;
    this.#bytes = 0;
  }

  #spill(): void {
    onDisk(() => {
      const file = (this.#file ??= openNameless());
      for (const chunk of this.#chunks) {
        for (let from = 0; from < chunk.length; ) {
          const written = writeSync(file, chunk, from, chunk.length - from, this.#fileBytes);
          from += written;
          this.#fileBytes += written;
        }
      }
    });
    this.#forgetChunks();
  }

  #forgetChunks(): void {
    this.#quota.inMemory -= this.#chunkBytes;
    this.#chunks = [];
    this.#chunkBytes = 0;
  }

  /** Bytes from `at` on, at least one whole frame. */
  #read(at: number): Buffer {
    if (at >= this.#fileBytes) {
      const all = Buffer.concat(this.#chunks);
      this.#chunks = [all];
      return all.subarray(at - this.#fileBytes);
    }
    const header = this.#readFile(at, HEADER);
    const frameBytes = HEADER + header.readUInt32LE(5);
    return this.#readFile(at, Math.min(Math.max(frameBytes, READ_BYTES), this.#fileBytes - at));
  }

  #readFile(at: number, bytes: number): Buffer {
    const { buffer } = new Uint8Array(bytes);
    const into = Buffer.from(buffer);
    onDisk(() => {
      for (let read = 0; read < bytes; ) {
        const more = readSync(this.#file ?? -1, into, read, bytes - read, at + read);
        if (more === 0) throw new Error('the spool ends early');
        read += more;
      }
    });
    return into;
  }
}

function openNameless(): number {
  const path = join(tmpdir(), `disync-xa-${randomUUID()}`);
  const file = openSync(path, 'wx+', 0o600);
  // Where an open file cannot lose its name, it stays until the folder of temporary files is cleaned.
  rmSync(path, { force: true });
  return file;
}

function onDisk(work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new PipelineError(
      'transient',
      'MySQL.XaSpillFailed',
      `prepared XA transactions cannot be kept in ${tmpdir()}: ${error instanceof Error ? error.message : ''}`,
      { cause: error, hint: 'Make room there, or set TMPDIR to another folder and start the service again.' },
    );
  }
}

class SpooledEvents implements NestedEvents {
  ended = false;
  readonly #read: (at: number) => Buffer;
  readonly #bytes: number;
  #at = 0;
  #chunk: Buffer = Buffer.alloc(0);
  #from = 0;

  constructor(read: (at: number) => Buffer, bytes: number) {
    this.#read = read;
    this.#bytes = bytes;
  }

  take(slot: EventSlot): boolean {
    if (this.ended) return false;
    if (this.#at === this.#bytes) {
      slot.type = XID;
      slot.bodyStart = 0;
      slot.bodyEnd = 0;
      this.ended = true;
      return true;
    }
    if (!this.#isWhole()) {
      this.#chunk = this.#read(this.#at);
      this.#from = 0;
    }
    const body = this.#from + HEADER;
    const bodyBytes = this.#chunk.readUInt32LE(this.#from + 5);
    slot.type = this.#chunk[this.#from] ?? 0;
    slot.timestamp = this.#chunk.readUInt32LE(this.#from + 1);
    slot.buffer = this.#chunk;
    slot.bodyStart = body;
    slot.bodyEnd = body + bodyBytes;
    this.#from += HEADER + bodyBytes;
    this.#at += HEADER + bodyBytes;
    return true;
  }

  async more(): Promise<void> {}

  close(): void {}

  #isWhole(): boolean {
    const left = this.#chunk.length - this.#from;
    return left >= HEADER && left >= HEADER + this.#chunk.readUInt32LE(this.#from + 5);
  }
}
