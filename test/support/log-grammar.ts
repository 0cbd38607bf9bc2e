import { decimalBytes } from '../../src/connectors/mysql/protocol/decimal.ts';
import * as ev from '../../src/connectors/mysql/protocol/event.ts';
import type { MysqlTable } from '../../src/connectors/mysql/types.ts';
import { eventOf } from './log-bytes.ts';
import { compressedRows, type Damage, transactionPayload } from './log-compression.ts';

type Random = () => number;

/** The table that grammar-built logs are of: it begins with one column and gains what a table map names. */
export const GROWING: MysqlTable = {
  version: {
    id: { database: 'g', table: 't' },
    columns: [
      {
        name: 'id',
        type: { kind: 'integer', bytes: 4, unsigned: false },
        nullable: false,
        sourceType: 'int',
        comment: '',
        generated: false,
      },
    ],
    key: [0],
  },
  columns: [],
};
Object.assign(GROWING, {
  columns: [{ column: GROWING.version.columns[0], log: { code: 3, meta: 0 }, charset: null }],
});

/** One column as the log has it: its type's code, its metadata as they are sent, and a value's bytes. */
interface GrammarColumn {
  readonly code: number;
  readonly meta: readonly number[];
  readonly numeric: boolean;
  /** 33 is utf8mb3, 63 binary; null where the type has no character set. */
  readonly collation: number | null;
  readonly labels: number | null;
  value(random: Random): Buffer;
}

export interface Built {
  readonly payloads: readonly Buffer[];
  /** Images that a reader delivers of it. */
  readonly images: number;
}

export interface BuildOptions {
  /** One value of over 16 MiB. */
  readonly huge: boolean;
  /** The whole transaction by MySQL, the rows by MariaDB. */
  readonly compressed: 'no' | 'mysql' | 'mariadb';
  readonly damage: Damage;
}

/** Builds a log from `head` (rotation and format of a recorded one): table maps of random types, rows of random values. */
export function buildLog(random: Random, head: readonly Buffer[], options: BuildOptions): Built {
  const payloads: Buffer[] = head.map((payload) => Buffer.from(payload));
  const columns = Array.from({ length: 1 + Math.floor(random() * 12) }, () => pick(random, TYPES)(random));
  const tableId = 1 + Math.floor(random() * 2 ** 47);
  const all = options.huge ? [...columns, blob(4)] : columns;
  let images = 0;
  let position = 1000;
  const events: Buffer[] = [];
  const add = (type: number, body: Buffer) => events.push(eventOf(type, body, (position += body.length + 23)));
  add(ev.TABLE_MAP, tableMap(tableId, all));
  const statements = 1 + Math.floor(random() * 4);
  for (let statement = 0; statement < statements; statement += 1) {
    const isV2 = random() < 0.5;
    const kind = Math.floor(random() * 3);
    const rows = 1 + Math.floor(random() * 5);
    const count = kind === 1 ? 2 * rows : rows;
    const head = header(tableId, isV2, all.length, kind === 1 ? 2 : 1);
    const rowImages: Buffer[] = [];
    for (let image = 0; image < count; image += 1) rowImages.push(rowImage(random, all, options.huge && image === 0));
    const plain = Buffer.concat(rowImages);
    const type = (isV2 ? ev.WRITE_ROWS_V2 : ev.WRITE_ROWS_V1) + kind;
    if (options.compressed === 'mariadb')
      add(type + COMPRESSED[isV2 ? 2 : 1], Buffer.concat([head, compressedRows(random, plain, options.damage)]));
    else add(type, Buffer.concat([head, plain]));
    images += count;
  }
  add(ev.XID, Buffer.alloc(8));
  if (options.compressed === 'mysql') payloads.push(transactionPayload(random, events, options.damage, position));
  else payloads.push(...events);
  return { payloads, images };
}

/** What MariaDB adds to a type of rows, by its version, when they are compressed. */
const COMPRESSED = { 1: 143, 2: 139 } as const;

function tableMap(tableId: number, columns: readonly GrammarColumn[]): Buffer {
  const count = columns.length + 1;
  const codes = [3, ...columns.map(({ code }) => (code === 247 || code === 248 ? 254 : code))];
  const metadata = columns.flatMap(({ meta }) => meta);
  const names = ['id', ...columns.map((_, index) => `c${index}`)];
  const numeric = [true, ...columns.map((column) => column.numeric)].filter(Boolean);
  const character = columns.filter(({ collation, labels }) => collation !== null && labels === null);
  const sets = columns.filter(({ code }) => code === 248);
  const enums = columns.filter(({ code }) => code === 247);
  const labelled = columns.filter(({ labels }) => labels !== null);
  return Buffer.concat([
    id6(tableId),
    Buffer.from([1, 0, 1, 0x67, 0, 1, 0x74, 0]),
    lenenc(count),
    Buffer.from(codes),
    lenenc(metadata.length),
    Buffer.from(metadata),
    Buffer.alloc((count + 7) >> 3, 0xfe),
    field(1, Buffer.alloc((numeric.length + 7) >> 3, 0x55)),
    field(4, Buffer.concat(names.map(text))),
    ...(character.length === 0
      ? []
      : [field(3, Buffer.concat(character.map(({ collation }) => lenenc(collation ?? 63))))]),
    ...(sets.length === 0 ? [] : [field(5, Buffer.concat(sets.map(labels)))]),
    ...(enums.length === 0 ? [] : [field(6, Buffer.concat(enums.map(labels)))]),
    ...(labelled.length === 0 ? [] : [field(11, Buffer.concat(labelled.map(() => lenenc(33))))]),
  ]);
}

function header(tableId: number, isV2: boolean, columns: number, bitmaps: number): Buffer {
  const bits = Buffer.alloc(((columns + 1 + 7) >> 3) * bitmaps, 0xff);
  return Buffer.concat([
    id6(tableId),
    Buffer.from([1, 0]),
    isV2 ? Buffer.from([2, 0]) : Buffer.alloc(0),
    lenenc(columns + 1),
    bits,
  ]);
}

function rowImage(random: Random, columns: readonly GrammarColumn[], huge: boolean): Buffer {
  const nulls = Buffer.alloc((columns.length + 1 + 7) >> 3);
  const values = [bytes(random, 4)];
  for (const [index, column] of columns.entries()) {
    if (random() < 0.2) nulls[(index + 1) >> 3] = (nulls[(index + 1) >> 3] ?? 0) | (1 << ((index + 1) & 7));
    else values.push(column.value(random));
  }
  if (!huge) return Buffer.concat([nulls, ...values]);
  const last = columns.length;
  nulls[last >> 3] = (nulls[last >> 3] ?? 0) & ~(1 << (last & 7));
  const long = Buffer.alloc(4 + 2 ** 24 + Math.floor(random() * 1000), 0x61);
  long.writeUInt32LE(long.length - 4, 0);
  const present = columns
    .slice(0, -1)
    .filter((_, index) => ((nulls[(index + 1) >> 3] ?? 0) & (1 << ((index + 1) & 7))) === 0);
  return Buffer.concat([nulls, ...values.slice(0, 1 + present.length), long]);
}

const fixed =
  (code: number, size: number, meta: readonly number[] = [], numeric = false) =>
  (): GrammarColumn => ({ code, meta, numeric, collation: null, labels: null, value: (random) => bytes(random, size) });
const fraction = (code: number, size: number) => (random: Random) => {
  const digits = Math.floor(random() * 7);
  return fixed(code, size + ((digits + 1) >> 1), [digits])();
};

/** The types of the log; each makes a column with metadata of its own. */
const TYPES: readonly ((random: Random) => GrammarColumn)[] = [
  fixed(1, 1, [], true),
  fixed(2, 2, [], true),
  fixed(9, 3, [], true),
  fixed(3, 4, [], true),
  fixed(8, 8, [], true),
  fixed(4, 4, [4], true),
  fixed(5, 8, [8], true),
  fixed(10, 3),
  fixed(13, 1, [], true),
  fraction(17, 4),
  fraction(18, 5),
  fraction(19, 3),
  (random) => {
    const precision = 1 + Math.floor(random() * 65);
    const scale = Math.min(precision, Math.floor(random() * 31));
    return fixed(246, decimalBytes(precision, scale), [precision, scale], true)();
  },
  (random) => {
    const width = 1 + Math.floor(random() * 64);
    return fixed(16, (width + 7) >> 3, [width & 7, width >> 3])();
  },
  (random) => string(15, Math.floor(random() * 1000), random),
  (random) => string(254, Math.floor(random() * 1000), random),
  (random) => blob(1 + Math.floor(random() * 4)),
  (random) => labelled(247, 1, 1 + Math.floor(random() * 20)),
  (random) => labelled(248, 1, 1 + Math.floor(random() * 8)),
];

function string(code: 15 | 254, most: number, random: Random): GrammarColumn {
  // CHAR hides two bits of its length, flipped, in the type's own byte.
  const meta = code === 15 ? [most & 0xff, most >> 8] : [254 ^ ((most & 0x300) >> 4), most & 0xff];
  return {
    code,
    meta,
    numeric: false,
    collation: random() < 0.5 ? 33 : 63,
    labels: null,
    value: (next) => {
      const length = Math.floor(next() * (Math.min(most, 200) + 1));
      return Buffer.concat([number(length, most < 256 ? 1 : 2), bytes(next, length)]);
    },
  };
}

function blob(lengthBytes: number): GrammarColumn {
  return {
    code: 252,
    meta: [lengthBytes],
    numeric: false,
    collation: 63,
    labels: null,
    value: (random) => {
      const length = Math.floor(random() * 200);
      return Buffer.concat([number(length, lengthBytes), bytes(random, length)]);
    },
  };
}

function labelled(code: 247 | 248, size: number, count: number): GrammarColumn {
  const most = code === 247 ? count + 1 : 2 ** count;
  return {
    code,
    meta: [code, size],
    numeric: false,
    collation: 33,
    labels: count,
    value: (random) => Buffer.from([Math.floor(random() * most)]),
  };
}

function labels({ labels: count }: GrammarColumn): Buffer {
  const texts = Array.from({ length: count ?? 0 }, (_, index) => text(`l${index}`));
  return Buffer.concat([lenenc(texts.length), ...texts]);
}

function field(kind: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([kind]), lenenc(value.length), value]);
}

function text(value: string): Buffer {
  return Buffer.concat([lenenc(Buffer.byteLength(value)), Buffer.from(value)]);
}

function lenenc(value: number): Buffer {
  return value < 0xfb ? Buffer.from([value]) : Buffer.from([0xfc, value & 0xff, value >> 8]);
}

function id6(value: number): Buffer {
  return number(value, 6);
}

function number(value: number, size: number): Buffer {
  const buffer = Buffer.alloc(size);
  buffer.writeUIntLE(value, 0, size);
  return buffer;
}

function bytes(random: Random, count: number): Buffer {
  const buffer = Buffer.alloc(count);
  for (let at = 0; at < count; at += 1) buffer[at] = random() * 256;
  return buffer;
}

export function pick<T>(random: Random, list: readonly T[]): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
}
