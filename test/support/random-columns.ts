import { pick } from './log-grammar.ts';
import type { Family } from './servers.ts';

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
  /** The server's own tool prints its values whole. */
  readonly inTool: boolean;
  literal(random: Random): string;
  /** An expression that changes a part of a value; where there is none, values are replaced. */
  change?(random: Random, name: string): string;
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
  | 'set'
  | 'json'
  | 'geometry'
  | 'vector'
  | 'address';

/** A column of a type that both families know, or also of one of `family`'s own. */
export function randomColumn(random: Random, name: string, family: Family | null = null): RandomColumn {
  const base = {
    name,
    unsigned: false,
    encoding: 'utf-8',
    width: 0,
    labels: [],
    generated: false,
    keyable: false,
    inTool: true,
  };
  const types = family === null || random() < 0.7 ? TYPES : OWN_TYPES[family];
  return { ...base, ...pick(random, types)(random) };
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
      sql: `DECIMAL(${precision},${scale})${random() < 0.2 ? ' UNSIGNED' : ''}`,
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
  (random) => {
    const name = pick(random, ['FLOAT', 'DOUBLE']);
    return {
      sql: `${name}(7,2)${random() < 0.3 ? ' UNSIGNED' : ''}`,
      kind: name === 'FLOAT' ? 'float' : 'double',
      literal: (next) => String(pick(next, [0, 99999.99, 0.01, -12345.67, whole(next, 1e7) / 100])),
    };
  },
  () => ({ sql: 'BOOLEAN', kind: 'integer', keyable: true, literal: (next) => pick(next, ['TRUE', 'FALSE', '-128']) }),
  (random) => ({
    sql: `${pick(random, ['SMALLINT(5)', 'INT(7)', 'BIGINT(20)'])} ZEROFILL`,
    kind: 'integer',
    unsigned: true,
    literal: (next) => String(pick(next, [0, 65535, whole(next, 65536)])),
  }),
  () => ({ sql: 'INT INVISIBLE', kind: 'integer', literal: (next) => String(whole(next, 1000)) }),
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
  (random) => text(random, () => pick(random, ['TINYTEXT', 'TEXT', 'MEDIUMTEXT', 'LONGTEXT']), 500),
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
  (random) => ({
    sql: pick(random, ['MEDIUMBLOB', 'LONGBLOB']),
    kind: 'bytes',
    literal: (next) => (next() < 0.05 ? `REPEAT(X'00FF7F', ${whole(next, 40_000)})` : hex(bytes(next, 30))),
  }),
  (random) => {
    const labels = LABELS.slice(0, 1 + whole(random, LABELS.length));
    return {
      sql: `ENUM(${labels.map(quoted).join()})`,
      kind: 'enum',
      labels,
      literal: (next) => (next() < 0.1 ? "'no such label'" : String(1 + whole(next, labels.length))),
    };
  },
  () => {
    const labels = Array.from({ length: 300 }, (_, index) => `label ${index}`);
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
  (random) => ({
    sql: `VARCHAR(30) CHARACTER SET utf8mb4 AS (CONCAT('n', k * 3)) ${pick(random, ['VIRTUAL', 'STORED'])}`,
    kind: 'text',
    generated: true,
    literal: () => 'DEFAULT',
  }),
];

const GEOMETRIES: Readonly<Record<string, (random: Random) => string>> = {
  POINT: (random) => `POINT(${place(random)})`,
  LINESTRING: (random) => `LINESTRING(${places(random, 2)})`,
  POLYGON: (random) => `POLYGON((0 0, 9 0, 9 ${1 + whole(random, 80)}, 0 0), (1 1, 2 1, 2 2, 1 1))`,
  MULTIPOINT: (random) => `MULTIPOINT(${places(random, 1)})`,
  GEOMETRYCOLLECTION: (random) => `GEOMETRYCOLLECTION(POINT(${place(random)}), LINESTRING(${places(random, 2)}))`,
};

function geometry(random: Random, { srids }: { readonly srids: readonly number[] }): Type {
  const name = pick(random, ['GEOMETRY', ...Object.keys(GEOMETRIES)]);
  const kinds = name === 'GEOMETRY' ? Object.values(GEOMETRIES) : [GEOMETRIES[name] ?? (() => '')];
  return {
    sql: name,
    kind: 'geometry',
    inTool: false,
    literal: (next) => `ST_GeomFromText('${pick(next, kinds)(next)}', ${pick(next, srids)})`,
  };
}

/** Within what a latitude and a longitude may be. */
function place(random: Random): string {
  return `${pick(random, [0, -90, 90, (random() - 0.5) * 180])} ${pick(random, [0, -1.5, (random() - 0.5) * 180])}`;
}

function places(random: Random, least: number): string {
  return Array.from({ length: least + whole(random, 5) }, () => place(random)).join(', ');
}

const NUMBERS = [0, -1, 32768, -2147483649, 4294967296, 0.1, 1e100, -1.5e-7, Number.MAX_SAFE_INTEGER];
const SCALARS = [null, true, false, '', 'x', 'é李🧦', 'it\'s "quoted" \\ \n', ...NUMBERS];

/** A document, not deeper than it is allowed to be. */
function document(random: Random, depth = 0): unknown {
  const scalar = (): unknown => (random() < 0.1 ? 'y'.repeat(whole(random, 300)) : pick(random, SCALARS));
  const kind = random();
  if (depth === 4 || kind < 0.4) return scalar();
  const parts = Array.from({ length: whole(random, 6) }, () => document(random, depth + 1));
  if (kind < 0.65) return parts;
  return Object.fromEntries(parts.map((part) => [pick(random, KEYS), part]));
}

const KEYS = ['a', 'b', 'long key', 'é', '', 'k'.repeat(70)];

function jsonText(random: Random): string {
  // At the top an object, mostly, so that paths meet something.
  const value =
    random() < 0.8 ? { a: document(random), b: [document(random), 1], f: 'x'.repeat(200) } : document(random);
  return `_utf8mb4 X'${Buffer.from(JSON.stringify(value)).toString('hex')}'`;
}

const JSON_CHANGES: readonly ((random: Random, name: string) => string)[] = [
  (random, name) => `JSON_SET(${name}, '$.a', ${whole(random, 1000)}, '$.new', 'added')`,
  (random, name) => `JSON_REPLACE(${name}, '$.f', '${'z'.repeat(whole(random, 300))}', '$.b[0]', 1.25)`,
  (_, name) => `JSON_REMOVE(${name}, '$.b[0]', '$.new')`,
  (random, name) => `JSON_ARRAY_INSERT(${name}, '$.b[${whole(random, 3)}]', NULL)`,
  (_, name) => `JSON_SET(${name}, '$.a.b', '☂', '$."long key"', JSON_ARRAY(1, 'two'))`,
];

const JSON_EXPRESSIONS = [
  "JSON_ARRAY(1.50, -0.10, CAST('12345678901234567890.12' AS DECIMAL(65,30)), 18446744073709551615)",
  "JSON_ARRAY(CAST('2020-01-02' AS DATE), CAST('-838:59:58.5' AS TIME(1)), CAST('2020-01-02 03:04:05.6' AS DATETIME(3)))",
  "JSON_OBJECT('bits', b'111000', 'blob', CAST(REPEAT('x', 300) AS BINARY), 'point', ST_GeomFromText('POINT(1 2)'))",
];

const OWN_TYPES: Readonly<Record<Family, readonly ((random: Random) => Type)[]>> = {
  mysql: [
    () => ({
      sql: 'JSON',
      kind: 'json',
      inTool: false,
      literal: (next) => (next() < 0.1 ? pick(next, JSON_EXPRESSIONS) : `CAST(${jsonText(next)} AS JSON)`),
      change: (next, name) => pick(next, JSON_CHANGES)(next, name),
    }),
    (random) => geometry(random, { srids: [0, 0, 4326] }),
    (random) => {
      const size = 1 + whole(random, 20);
      return {
        sql: `VECTOR(${size})`,
        kind: 'vector',
        inTool: false,
        literal: (next) => {
          const numbers = Array.from({ length: 1 + whole(next, size) }, () => (next() - 0.5) * 10 ** whole(next, 30));
          return `TO_VECTOR('[${numbers.join()}]')`;
        },
      };
    },
  ],
  mariadb: [
    () => ({
      sql: 'JSON',
      kind: 'json',
      inTool: false,
      literal: jsonText,
      change: (next, name) => pick(next, JSON_CHANGES)(next, name),
    }),
    (random) => geometry(random, { srids: [0, 0, 4326] }),
    () => ({
      sql: 'UUID',
      kind: 'address',
      inTool: false,
      literal: (next) => {
        const digits = Array.from({ length: 32 }, () => pick(next, HEX_DIGITS)).join('');
        return quoted(digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'));
      },
    }),
    () => ({
      sql: 'INET6',
      kind: 'address',
      inTool: false,
      literal: (next) =>
        quoted(Array.from({ length: 8 }, () => pick(next, ['0', '0', whole(next, 65536).toString(16)])).join(':')),
    }),
    () => ({
      sql: 'INET4',
      kind: 'address',
      inTool: false,
      literal: (next) => quoted(Array.from({ length: 4 }, () => whole(next, 256)).join('.')),
    }),
    (random) => compressed(text(random, (most) => `VARCHAR(${most})`, 500)),
    (random) => compressed(text(random, () => pick(random, ['TINYTEXT', 'TEXT', 'LONGTEXT']), 500)),
    (random) => ({
      sql: `${pick(random, ['VARBINARY(600)', 'TINYBLOB', 'BLOB', 'LONGBLOB'])} COMPRESSED`,
      kind: 'bytes',
      inTool: false,
      literal: (next) => (next() < 0.2 ? `REPEAT(X'00FF', ${whole(next, 120)})` : hex(bytes(next, 200))),
    }),
  ],
};

const HEX_DIGITS = Array.from('0123456789abcdef');

function compressed(type: Type): Type {
  return { ...type, sql: `${type.sql} COMPRESSED`, inTool: false };
}

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
  { charset: 'big5', encoding: 'big5', letters: 'az 中文漢字' },
  { charset: 'euckr', encoding: 'euc-kr', letters: 'az 한국어' },
  { charset: 'sjis', encoding: 'shift_jis', letters: 'az 日本あア' },
  { charset: 'ujis', encoding: 'euc-jp', letters: 'az 日本あア' },
  { charset: 'ucs2', encoding: 'utf-16be', letters: 'az 李é' },
  { charset: 'utf16le', encoding: 'utf-16le', letters: 'az 李🧦é' },
  { charset: 'cp1251', encoding: 'windows-1251', letters: 'az Жя' },
  { charset: 'koi8r', encoding: 'koi8-r', letters: 'az Жя' },
  { charset: 'greek', encoding: 'iso-8859-7', letters: 'az Ωλ' },
  { charset: 'latin2', encoding: 'iso-8859-2', letters: 'az łž' },
  { charset: 'utf8mb3', encoding: 'utf-8', letters: 'az 李é' },
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
