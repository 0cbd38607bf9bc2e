import { constants, createZstdDecompress, type ZstdDecompress, zstdDecompressSync } from 'node:zlib';
import { CorruptEvent } from './corrupt-event.ts';
import { EVENT_HEADER } from './event.ts';
import { Cursor } from './lenenc.ts';
import type { EventSlot, NestedEvents } from './nested-events.ts';

const FIELD_END = 0;
const FIELD_PAYLOAD_BYTES = 1;
const FIELD_ALGORITHM = 2;
const FIELD_WHOLE_BYTES = 3;
const ZSTD = 0;
const NONE = 255;

/** Up to so many bytes are unpacked in one step, more of them piece by piece. */
const AT_ONCE_BYTES = 1 << 20;
const PIECE_BYTES = 256 * 1024;

interface Payload {
  readonly algorithm: number;
  readonly packed: Buffer;
  /** Of the events, as the header says it. */
  readonly wholeBytes: number;
}

/**
 * MySQL's TRANSACTION_PAYLOAD_EVENT: the events of a transaction behind its GTID, packed together.
 *
 *   [ field lenenc ][ bytes lenenc ][ value lenenc ] … [ 0 ][ zstd frames ]
 *   1 bytes of the frames, 2 algorithm (0 zstd, 255 none), 3 bytes of the events
 *
 * The events within have headers but no sums; their positions say nothing.
 * Errors: CorruptEvent. Holds at most the unpacked part that `take` has not come to, and one event.
 * Source: MySQL Server source documentation, Transaction_payload_event.
 */
export function openPayload(buffer: Buffer, start: number, end: number): NestedEvents {
  const payload = readPayload(buffer, start, end);
  if (payload.algorithm === NONE) return new EventsOf(payload.packed);
  if (payload.algorithm !== ZSTD || payload.wholeBytes < 0)
    throw new CorruptEvent('a transaction is packed in a way that no server has');
  if (payload.wholeBytes <= AT_ONCE_BYTES) return new EventsOf(unpack(payload));
  return new PackedEvents(payload);
}

function readPayload(buffer: Buffer, start: number, end: number): Payload {
  const cursor = new Cursor(buffer, start, end);
  let payloadBytes = -1;
  let algorithm = -1;
  let wholeBytes = -1;
  for (let field = cursor.length(); field !== FIELD_END; field = cursor.length()) {
    const value = cursor.part(cursor.length());
    if (field === FIELD_PAYLOAD_BYTES) payloadBytes = value.length();
    else if (field === FIELD_ALGORITHM) algorithm = value.length();
    else if (field === FIELD_WHOLE_BYTES) wholeBytes = value.length();
  }
  if (payloadBytes < 0 || algorithm < 0) throw new CorruptEvent('a packed transaction has no header');
  const { at } = cursor;
  cursor.skip(payloadBytes);
  const packed = buffer.subarray(at, at + payloadBytes);
  return { algorithm, packed, wholeBytes };
}

/** Frames may follow one another, of which the library unpacks one at a time. */
function unpack({ packed, wholeBytes }: Payload): Buffer {
  const frames: Buffer[] = [];
  let left = wholeBytes;
  for (let at = 0; at < packed.length; ) {
    const { buffer, engine } = unpackFrame(packed.subarray(at), left);
    if (engine.bytesWritten === 0) throw swollen();
    frames.push(buffer);
    at += engine.bytesWritten;
    left -= buffer.length;
  }
  if (left !== 0) throw swollen();
  return frames.length === 1 && frames[0] !== undefined ? frames[0] : Buffer.concat(frames);
}

function unpackFrame(bytes: Buffer, most: number): { buffer: Buffer; engine: { bytesWritten: number } } {
  try {
    const unpacked: unknown = zstdDecompressSync(bytes, { info: true, maxOutputLength: Math.max(most, 1) });
    return unpacked as { buffer: Buffer; engine: { bytesWritten: number } };
  } catch (error) {
    throw damaged(error);
  }
}

function swollen(): CorruptEvent {
  return new CorruptEvent('a packed transaction does not have the size that it says');
}

function damaged(error: unknown): CorruptEvent {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return new CorruptEvent(`a transaction cannot be unpacked (${code})`);
}

/** Puts the event at `at` into the slot; gives where it ends, or 0 when `bytes` ends before. `most`: what may follow `at`. */
function takeEvent(bytes: Buffer, at: number, most: number, slot: EventSlot): number {
  if (bytes.length - at < EVENT_HEADER) return 0;
  const length = bytes.readUInt32LE(at + 9);
  if (length < EVENT_HEADER || length > most) throw new CorruptEvent('a packed event has an impossible length');
  if (bytes.length - at < length) return 0;
  slot.timestamp = bytes.readUInt32LE(at);
  slot.type = bytes[at + 4]!;
  slot.buffer = bytes;
  slot.bodyStart = at + EVENT_HEADER;
  slot.bodyEnd = at + length;
  return at + length;
}

/** Events that are all there. */
class EventsOf implements NestedEvents {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(slot: EventSlot): boolean {
    if (this.ended) return false;
    const next = takeEvent(this.#bytes, this.#at, this.#bytes.length - this.#at, slot);
    if (next === 0) throw new CorruptEvent('a packed transaction ends within an event');
    this.#at = next;
    return true;
  }

  async more(): Promise<void> {}

  close(): void {}
}

/** Events that are unpacked as they are taken. */
class PackedEvents implements NestedEvents {
  #packed: Buffer;
  /** Bytes of events that are not unpacked yet. */
  #left: number;
  #stream: ZstdDecompress | null = null;
  /** Unpacked, and not taken. */
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Pieces of an event that is not whole. */
  #pieces: Buffer[] = [];
  #piecesBytes = 0;
  #wanted = 0;

  constructor({ packed, wholeBytes }: Payload) {
    this.#packed = packed;
    this.#left = wholeBytes;
  }

  get ended(): boolean {
    return this.#left === 0 && this.#at === this.#bytes.length && this.#pieces.length === 0;
  }

  take(slot: EventSlot): boolean {
    if (this.#pieces.length > 0) return false;
    const next = takeEvent(this.#bytes, this.#at, this.#bytes.length - this.#at + this.#left, slot);
    if (next === 0) return false;
    this.#at = next;
    return true;
  }

  /** Unpacks until one more event is whole. */
  async more(): Promise<void> {
    this.#keepRest();
    for (;;) {
      const piece = await this.#piece();
      if (piece === null) break;
      this.#left -= piece.length;
      if (this.#left < 0) throw swollen();
      this.#pieces.push(piece);
      this.#piecesBytes += piece.length;
      if (this.#piecesBytes >= this.#wanted) break;
    }
    this.#bytes = this.#pieces.length === 1 ? (this.#pieces[0] ?? this.#bytes) : Buffer.concat(this.#pieces);
    this.#at = 0;
    this.#pieces = [];
    this.#piecesBytes = 0;
  }

  close(): void {
    this.#stream?.destroy();
    this.#stream = null;
  }

  #keepRest(): void {
    const rest = this.#bytes.subarray(this.#at);
    this.#wanted = rest.length < EVENT_HEADER ? EVENT_HEADER : rest.readUInt32LE(9);
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#piecesBytes = rest.length;
  }

  /** The next unpacked bytes; null behind the last. */
  async #piece(): Promise<Buffer | null> {
    for (;;) {
      const stream = this.#stream ?? this.#nextFrame();
      if (stream === null) {
        if (this.#left !== 0 || this.#piecesBytes !== 0) throw swollen();
        return null;
      }
      const piece = stream.read() as Buffer | null;
      if (piece !== null) return piece;
      if (stream.errored !== null) throw damaged(stream.errored);
      if (!stream.readableEnded) {
        await readable(stream);
        continue;
      }
      if (stream.bytesWritten === 0) throw swollen();
      this.#packed = this.#packed.subarray(stream.bytesWritten);
      this.close();
    }
  }

  #nextFrame(): ZstdDecompress | null {
    if (this.#packed.length === 0) return null;
    const stream = createZstdDecompress({ chunkSize: PIECE_BYTES, params: { [constants.ZSTD_d_windowLogMax]: 27 } });
    stream.on('error', () => {}); // seen in `errored`
    stream.end(this.#packed);
    this.#stream = stream;
    return stream;
  }
}

/** Resolves when there is something to read, or never will be. */
function readable(stream: ZstdDecompress): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      stream.off('readable', over).off('end', over).off('error', over).off('close', over);
      resolve();
    };
    stream.on('readable', over).on('end', over).on('error', over).on('close', over);
  });
}
