import { pick } from './log-grammar.ts';

type Random = () => number;

/** A column of a random table: how to declare it, values for it, and what each value is in our canonical text. */
export interface RandomColumn {
  readonly name: string;
  readonly sql: string;
  readonly kind: Kind;
  readonly unsigned: boolean;
  /** Of text: as TextDecoder calls it. */
  readonly encoding: string;
  /** Bytes of a fixed width: BINARY and BIT; 0 of others. */
  readonly width: number;
  readonly labels: readonly string[];
  /** Computed by the server: never given a value. */
  readonly generated: boolean;
  /** May be the second part of a key. */
  readonly keyable: boolean;
  literal(random: Random): string;
}

export type Kind =
  | 'integer'
  | 'year'
  | 'decimal'
  | 'float'
  | 'double'
  | 'date'
  | 'time'
  | 'datetime'
  | 'instant'
  | 'bits'
  | 'text'
  | 'bytes'
  | 'enum'
  | 'set';

export function randomColumn(random: Random, name: string): RandomColumn {
  const base = { name, unsigned: false, encoding: 'utf-8', width: 0, labels: [], generated: false, keyable: false };
  return { ...base, ...pick(random, TYPES)(random) };
}

type Type = Pick<RandomColumn, 'sql' | 'kind' | 'literal'> & Partial<RandomColumn>;

const LABELS = ['one', 'zwei', 'três', '四', "it's", ''];

const TYPES: readonly ((random: Random) => Type)[] = [
  (random) => integer(random, 'TINYINT', 8),
  (random) => integer(random, 'SMALLINT', 16),
  (random) => integer(random, 'MEDIUMINT', 24),
  (random) => integer(random, 'INT', 32),
  (random) => integer(random, 'BIGINT', 64),
  (random) => integer(random, 'BIGINT', 64),
  (random) => {
    const precision = 1 + whole(random, 65);
    const scale = Math.min(precision, whole(random, 31));
    return {
      sql: `DECIMAL(${precision},${scale})`,
      kind: 'decimal',
      keyable: true,
      literal: (next) => {
        const digits = (count: number) => Array.from({ length: count }, () => pick(next, DIGITS)).join('');
        const shown = 1 + whole(next, precision - scale);
        return `${next() < 0.5 ? '-' : ''}${precision > scale ? digits(shown) : '0'}.${digits(scale)}`;
      },
    };
  },
  () => ({
    sql: 'FLOAT',
    kind: 'float',
    literal: (next) =>
      pick(next, [
        () => '0',
        () => '3.40282e38',
        () => '-1.17549e-38',
        () => String(Math.fround((next() - 0.5) * 10 ** whole(next, 20))),
      ])(),
  }),
  () => ({
    sql: 'DOUBLE',
    kind: 'double',
    literal: (next) =>
      pick(next, [
        () => '0',
        () => '1.7976931348623157e308',
        () => '-2.2250738585072014e-308',
        () => String((next() - 0.5) * 10 ** whole(next, 200)),
      ])(),
  }),
  () => ({ sql: 'DATE', kind: 'date', keyable: true, literal: (next) => `'${date(next)}'` }),
  (random) => {
    const digits = whole(random, 7);
    return {
      sql: `TIME(${digits})`,
      kind: 'time',
      literal: (next) =>
        `'${next() < 0.5 ? '-' : ''}${pick(next, [0, 838, whole(next, 838)])}:${two(next, 60)}:${two(next, 60)}${fraction(next, digits)}'`,
    };
  },
  (random) => {
    const digits = whole(random, 7);
    return {
      sql: `DATETIME(${digits})`,
      kind: 'datetime',
      keyable: true,
      literal: (next) => `'${date(next)} ${two(next, 24)}:${two(next, 60)}:${two(next, 60)}${fraction(next, digits)}'`,
    };
  },
  (random) => {
    const digits = whole(random, 7);
    return {
      sql: `TIMESTAMP(${digits}) NULL`,
      kind: 'instant',
      literal: (next) => {
        const seconds = pick(next, [1, 2 ** 31 - 1, 1 + whole(next, 2 ** 31 - 1)]);
        return `'${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')}${seconds === 2 ** 31 - 1 ? '' : fraction(next, digits)}'`;
      },
    };
  },
  () => ({
    sql: 'YEAR',
    kind: 'year',
    literal: (next) => String(pick(next, [0, 1901, 2155, 1901 + whole(next, 255)])),
  }),
  (random) => {
    const bits = 1 + whole(random, 64);
    return {
      sql: `BIT(${bits})`,
      kind: 'bits',
      width: (bits + 7) >> 3,
      literal: (next) => `b'${Array.from({ length: bits }, () => (next() < 0.5 ? '0' : '1')).join('')}'`,
    };
  },
  (random) => text(random, (most) => `CHAR(${Math.min(most, 60)})`, 60),
  (random) => text(random, (most) => `VARCHAR(${most})`, 500),
  (random) => text(random, () => pick(random, ['TEXT', 'MEDIUMTEXT', 'LONGTEXT']), 500),
  (random) => {
    const width = 1 + whole(random, 255);
    return { sql: `BINARY(${width})`, kind: 'bytes', width, literal: (next) => hex(bytes(next, width)) };
  },
  (random) => {
    const most = 1 + whole(random, 500);
    return { sql: `VARBINARY(${most})`, kind: 'bytes', literal: (next) => hex(bytes(next, most)) };
  },
  (random) => ({
    sql: pick(random, ['TINYBLOB', 'BLOB', 'MEDIUMBLOB', 'LONGBLOB']),
    kind: 'bytes',
    literal: (next) => hex(bytes(next, 255)),
  }),
  (random) => {
    const labels = LABELS.slice(0, 1 + whole(random, LABELS.length));
    return {
      sql: `ENUM(${labels.map(quoted).join()})`,
      kind: 'enum',
      labels,
      literal: (next) => String(1 + whole(next, labels.length)),
    };
  },
  (random) => {
    const labels = Array.from({ length: 1 + whole(random, 64) }, (_, index) => `m${index}`);
    return {
      sql: `SET(${labels.map(quoted).join()})`,
      kind: 'set',
      labels,
      literal: (next) => quoted(labels.filter(() => next() < 0.3).join()),
    };
  },
  (random) => ({
    sql: `BIGINT AS (k * 3) ${pick(random, ['VIRTUAL', 'STORED'])}`,
    kind: 'integer',
    generated: true,
    literal: () => 'DEFAULT',
  }),
];

const DIGITS = Array.from('0099123456789');

function integer(random: Random, name: string, bits: number): Type {
  const unsigned = random() < 0.5;
  const least = unsigned ? 0n : -(1n << BigInt(bits - 1));
  const most = unsigned ? (1n << BigInt(bits)) - 1n : (1n << BigInt(bits - 1)) - 1n;
  return {
    sql: `${name}${unsigned ? ' UNSIGNED' : ''}`,
    kind: 'integer',
    unsigned,
    keyable: true,
    literal: (next) => {
      const any = (BigInt(whole(next, 2 ** 32)) << 32n) | BigInt(whole(next, 2 ** 32));
      return String(pick(next, [least, most, 0n, least + (any % (most - least + 1n))]));
    },
  };
}

/** Character sets, and what is written in them; no character whose second byte is a backslash. */
const CHARSETS: readonly { readonly charset: string; readonly encoding: string; readonly letters: string }[] = [
  { charset: 'utf8mb4', encoding: 'utf-8', letters: 'az09 \'"\\\n\t\0éß李🧦' },
  { charset: 'utf8mb4', encoding: 'utf-8', letters: 'abc' },
  { charset: 'latin1', encoding: 'windows-1252', letters: 'az é€ÿß\'"\r' },
  { charset: 'gbk', encoding: 'gbk', letters: 'az 中文漢字' },
  { charset: 'utf16', encoding: 'utf-16be', letters: 'az 李🧦é' },
  { charset: 'ascii', encoding: 'utf-8', letters: 'az 09~' },
];

function text(random: Random, declare: (most: number) => string, most: number): Type {
  const { charset, encoding, letters } = pick(random, CHARSETS);
  const length = 1 + whole(random, most);
  const all = Array.from(letters);
  return {
    sql: `${declare(length)} CHARACTER SET ${charset}`,
    kind: 'text',
    encoding,
    literal: (next) => {
      const value = Array.from({ length: whole(next, Math.min(length, 60) + 1) }, () => pick(next, all)).join('');
      // MariaDB's tool does not mark a backslash, so that this would read as one byte.
      return `_utf8mb4 X'${Buffer.from(value.replaceAll('\\x', '\\y')).toString('hex')}'`;
    },
  };
}

function bytes(random: Random, most: number): Buffer {
  const buffer = Buffer.alloc(whole(random, most + 1));
  for (let at = 0; at < buffer.length; at += 1) {
    buffer[at] = whole(random, 256);
    if (buffer[at] === 0x78 && buffer[at - 1] === 0x5c) buffer[at] = 0x79;
  }
  return buffer;
}

function date(random: Random): string {
  return pick(random, [
    () => '0000-00-00',
    () => `${1000 + whole(random, 9000)}-00-00`,
    () => '2023-02-31',
    () => '9999-12-31',
    () =>
      `${1000 + whole(random, 9000)}-${String(1 + whole(random, 12)).padStart(2, '0')}-${String(1 + whole(random, 28)).padStart(2, '0')}`,
  ])();
}

function fraction(random: Random, digits: number): string {
  return digits === 0 ? '' : `.${String(whole(random, 10 ** digits)).padStart(digits, '0')}`;
}

function two(random: Random, below: number): string {
  return String(whole(random, below)).padStart(2, '0');
}

export function whole(random: Random, below: number): number {
  return Math.floor(random() * below);
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function hex(value: Buffer): string {
  return `X'${value.toString('hex')}'`;
}
