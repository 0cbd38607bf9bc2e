import type { LogPlace } from '../../../pipeline/batch.ts';
import type { MemoryPool } from './memory.ts';
import { PartText, TextPiece } from './part-text.ts';

export type Op = 'c' | 'r' | 'u' | 'd' | 't';

/** What stands behind the images of a record, on both sides of the row's number. */
export interface Tail {
  readonly start: TextPiece;
  readonly end: TextPiece;
}

/** Members of `source` that are the same for a table version. */
export interface SourceTexts {
  /** From `version` to `name`. */
  readonly connector: Buffer;
  /** From `db` to `table`. */
  readonly table: Buffer;
}

/** What is between the last value, or the begin of the payload, and the members of the source. */
const STARTS: Readonly<Record<Op, Buffer>> = {
  c: Buffer.from('},"source":{'),
  r: Buffer.from('},"source":{'),
  u: Buffer.from('},"source":{'),
  d: Buffer.from('},"after":null,"source":{'),
  t: Buffer.from('"before":null,"after":null,"source":{'),
};
const MS = Buffer.from(',"ts_ms":');
const US = Buffer.from(',"ts_us":');
const NS = Buffer.from(',"ts_ns":');
const SNAPSHOT = Buffer.from(',"snapshot":"true",');
const STREAM = Buffer.from(',"snapshot":"false",');
const SERVER = Buffer.from(',"server_id":');
const GTID = Buffer.from(',"gtid":');
const FILE = Buffer.from(',"file":');
const POSITION = Buffer.from(',"pos":');
const ROW = Buffer.from(',"row":');
const OPS: Readonly<Record<Op, Buffer>> = {
  c: Buffer.from(',"thread":null,"query":null},"op":"c"'),
  r: Buffer.from(',"thread":null,"query":null},"op":"r"'),
  u: Buffer.from(',"thread":null,"query":null},"op":"u"'),
  d: Buffer.from(',"thread":null,"query":null},"op":"d"'),
  t: Buffer.from(',"thread":null,"query":null},"op":"t"'),
};
const END = Buffer.from(',"transaction":null}');
const END_WITH_SCHEMA = Buffer.from(',"transaction":null}}');

/** A change or a statement, as far as the source block tells of it. */
interface Told {
  readonly place: LogPlace;
  readonly timeMicros: number;
}

function newTail(): Tail {
  return { start: new TextPiece(), end: new TextPiece() };
}

/** What stands behind the images of one part's records, written once for the part. */
export class DebeziumTails {
  readonly text: PartText;
  readonly usual = newTail();
  /** Of rows whose key changed: after `addMoved`. */
  readonly deleted = newTail();
  readonly created = newTail();
  readonly #end: Buffer;
  #told: Told | null = null;
  #source: SourceTexts | null = null;
  #nowMs = 0;
  #hasMoved = false;

  constructor(pool: MemoryPool, { withSchema }: { readonly withSchema: boolean }) {
    this.text = new PartText(pool);
    this.#end = withSchema ? END_WITH_SCHEMA : END;
  }

  /** The next part's; `usual` is for records of `op`. */
  start(told: Told, op: Op, source: SourceTexts, nowMs: number): void {
    this.#told = told;
    this.#source = source;
    this.#nowMs = nowMs;
    this.#hasMoved = false;
    this.text.restart();
    this.#write(this.usual, op, told, source);
  }

  addMoved(): void {
    if (this.#hasMoved || this.#told === null || this.#source === null) return;
    this.#hasMoved = true;
    this.#write(this.deleted, 'd', this.#told, this.#source);
    this.#write(this.created, 'c', this.#told, this.#source);
  }

  #write({ start, end }: Tail, op: Op, { place, timeMicros }: Told, { connector, table }: SourceTexts): void {
    const { text } = this;
    const { server, gtid, file, position } = place;
    text.begin(start);
    text.text(STARTS[op]);
    text.text(connector);
    this.#times(Math.floor(timeMicros / 1000), timeMicros);
    text.text(op === 'r' ? SNAPSHOT : STREAM);
    text.text(table);
    text.text(SERVER);
    text.number(server.id);
    text.text(GTID);
    text.characters(JSON.stringify(gtid));
    text.text(FILE);
    text.characters(JSON.stringify(file));
    text.text(POSITION);
    text.number(position);
    text.text(ROW);
    text.end(start);
    text.begin(end);
    text.text(OPS[op]);
    this.#times(this.#nowMs, this.#nowMs * 1000);
    text.text(this.#end);
    text.end(end);
  }

  #times(millis: number, micros: number): void {
    const { text } = this;
    text.text(MS);
    text.number(millis);
    text.text(US);
    text.number(micros);
    text.text(NS);
    text.number(micros);
    // A thousand times as many, which is beyond what a double holds.
    if (micros !== 0) text.characters('000');
  }
}
