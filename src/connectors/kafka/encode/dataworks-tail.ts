import type { LogPlace, RowsPart } from '../../../pipeline/batch.ts';
import { writeSequenceId } from '../../../pipeline/sequence-id.ts';
import type { MemoryPool } from './memory.ts';
import { PartText, TextPiece } from './part-text.ts';

/** What stands behind an image. */
export class Tail extends TextPiece {
  /** Behind the sequenceId, from the piece's begin. */
  sequenceEnd = 0;
}

export interface Times {
  readonly eventTime: number;
  readonly systemTime: number;
}

const BEFORE = Buffer.from('}},"after":null,');
const AFTER = Buffer.from('}},');
const SEQUENCE_ID = Buffer.from('"sequenceId":"');
const SYSTEM_TIME = Buffer.from(',"systemTime":');
const CHECKPOINT_TIME = Buffer.from(',"checkpointTime":');
const END = Buffer.from('},"ddl":null},"version":"0.0.1"}');
const OPS = Object.fromEntries(
  ['INSERT', 'UPDATE_BEFOR', 'UPDATE_AFTER', 'DELETE'].map((op) => [
    op,
    Buffer.from(`","op":"${op}","timestamp":{"eventTime":`),
  ]),
);

/** What stands behind the images of one part's records, written once for the part. */
export class DataWorksTails {
  readonly text: PartText;
  readonly before = new Tail();
  readonly after = new Tail();

  constructor(pool: MemoryPool) {
    this.text = new PartText(pool);
  }

  write({ op, place }: RowsPart, times: Times): void {
    this.text.restart();
    if (op === 'delete') this.#tail(this.before, BEFORE, 'DELETE', place, times);
    else if (op === 'update') {
      this.#tail(this.before, BEFORE, 'UPDATE_BEFOR', place, times);
      this.#tail(this.after, AFTER, 'UPDATE_AFTER', place, times);
    } else this.#tail(this.after, AFTER, 'INSERT', place, times);
  }

  /** The sequenceId of what is one record. */
  sequenceId(place: LogPlace): string {
    const { text } = this;
    text.restart();
    text.at = writeSequenceId(text.view, text.at, place, 0);
    return Buffer.from(text.out.subarray(0, text.at)).toString('latin1');
  }

  #tail(tail: Tail, first: Buffer, op: string, place: LogPlace, { eventTime, systemTime }: Times): void {
    const { text } = this;
    text.begin(tail);
    text.text(first);
    text.text(SEQUENCE_ID);
    text.at = writeSequenceId(text.view, text.at, place, 0);
    tail.sequenceEnd = text.at - tail.start;
    text.text(OPS[op]!);
    text.number(eventTime);
    text.text(SYSTEM_TIME);
    text.number(systemTime);
    text.text(CHECKPOINT_TIME);
    text.number(eventTime);
    text.text(END);
    text.end(tail);
  }
}
