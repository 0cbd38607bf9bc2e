import { type ColumnRow, printLabel } from '../types.ts';
import { type TokenReader, Unreadable } from './token-reader.ts';

/** What a column takes from its table. */
export interface TableDefaults {
  readonly family: 'mysql' | 'mariadb';
  /** Null when it is not known. */
  readonly charset: string | null;
}

/** Bytes of a character at most; 1 for those that are not named. */
const CHARACTER_BYTES: Readonly<Record<string, number>> = {
  utf8mb4: 4,
  utf8mb3: 3,
  utf8: 3,
  utf16: 4,
  utf16le: 4,
  utf32: 4,
  ucs2: 2,
  gbk: 2,
  gb2312: 2,
  gb18030: 4,
  big5: 2,
  sjis: 2,
  cp932: 2,
  euckr: 2,
  ujis: 3,
  eucjpms: 3,
};

const SYNONYMS: Readonly<Record<string, string>> = {
  BOOL: 'tinyint',
  BOOLEAN: 'tinyint',
  INT1: 'tinyint',
  INT2: 'smallint',
  INT3: 'mediumint',
  MIDDLEINT: 'mediumint',
  INT4: 'int',
  INTEGER: 'int',
  INT8: 'bigint',
  SERIAL: 'bigint',
  DEC: 'decimal',
  NUMERIC: 'decimal',
  FIXED: 'decimal',
  NUMBER: 'decimal',
  REAL: 'double',
  FLOAT4: 'float',
  FLOAT8: 'double',
  CHARACTER: 'char',
  NCHAR: 'char',
  NVARCHAR: 'varchar',
  VARCHARACTER: 'varchar',
  VARCHAR2: 'varchar',
  RAW: 'varbinary',
  CLOB: 'longtext',
  LONG: 'mediumtext',
  GEOMCOLLECTION: 'geometrycollection',
};

const BINARY_OF: Readonly<Record<string, string>> = {
  char: 'binary',
  varchar: 'varbinary',
  tinytext: 'tinyblob',
  text: 'blob',
  mediumtext: 'mediumblob',
  longtext: 'longblob',
};

const TEXTS = new Set(['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'enum', 'set']);
const ROW_BYTES_MAX = 65_535;

/**
 * Reads `type [attributes]` of a column definition, up to the end of `tokens` but for FIRST and AFTER.
 * Shape: as information_schema.columns would have it. Errors: Unreadable for whatever leaves a doubt.
 */
export function readColumnType(name: string, tokens: TokenReader, defaults: TableDefaults): ColumnRow {
  let dataType = typeName(tokens);
  if (dataType === 'json' && defaults.family === 'mariadb') return readJsonOfMariadb(name, tokens);
  const inside = tokens.takeParentheses();
  const numbers: number[] = [];
  const labels: string[] = [];
  while (inside !== null && !inside.ended) {
    const token = inside.next();
    if (token.kind === 'number') numbers.push(Number(token.text));
    else if (token.kind === 'string') labels.push(token.text);
    else if (token.kind !== 'mark') throw new Unreadable('an unknown length');
  }
  const attributes = readAttributes(tokens);
  const [first, second] = numbers;
  if (dataType === 'float' && second === undefined && (first ?? 0) > 24) dataType = 'double';
  let charset = TEXTS.has(dataType) ? (attributes.charset ?? defaults.charset) : null;
  if (TEXTS.has(dataType) && charset === null) throw new Unreadable('the character set of the table is not known');
  if (charset === 'binary' && BINARY_OF[dataType] !== undefined) {
    dataType = BINARY_OF[dataType] ?? dataType;
    charset = null;
  }
  // What the character set lacks becomes something else, or is refused, as the mode says.
  if (!isUnicode(charset) && labels.some((label) => /[^\0-\x7f]/.test(label)))
    throw new Unreadable('a label that the character set may lack');
  dataType = sized(dataType, first, charset);
  const isString = /char|binary/.test(dataType);
  const characters = first ?? (dataType === 'char' || dataType === 'binary' ? 1 : 0);
  const octetLength = isString ? characters * (charset === null ? 1 : (CHARACTER_BYTES[charset] ?? 1)) : 0;
  if (octetLength > ROW_BYTES_MAX) throw new Unreadable('the server may have made it a longer type');
  const isDecimal = dataType === 'decimal';
  return {
    name,
    dataType,
    columnType: describeColumnType(dataType, inside === null ? null : numbers, labels, attributes),
    nullable: !attributes.notNull,
    octetLength,
    precision: isDecimal ? (first ?? 10) : dataType === 'bit' ? (first ?? 1) : 0,
    scale: isDecimal ? (second ?? 0) : 0,
    fraction: /^(?:time|datetime|timestamp)$/.test(dataType) ? (first ?? 0) : 0,
    charset,
    comment: attributes.comment,
    extra: attributes.generated ? 'VIRTUAL GENERATED' : '',
  };
}

function isUnicode(charset: string | null): boolean {
  return charset !== null && /^(?:utf|ucs)/.test(charset);
}

function typeName(tokens: TokenReader): string {
  if (tokens.takeOne('NATIONAL') !== null) {
    // utf8mb3, whatever the table has
    throw new Unreadable('a national character type');
  }
  if (tokens.take('LONG')) {
    if (tokens.take('VARBINARY')) return 'mediumblob';
    if (!tokens.take('CHAR', 'VARYING') && tokens.takeOne('VARCHAR', 'VARCHARACTER') === null) tokens.take('BYTE');
    return 'mediumtext';
  }
  const word = tokens.name().toUpperCase();
  if (word === 'NCHAR' || word === 'NVARCHAR') throw new Unreadable('a national character type');
  if (word === 'DOUBLE') tokens.take('PRECISION');
  if ((word === 'CHAR' || word === 'CHARACTER') && tokens.take('VARYING')) return 'varchar';
  return SYNONYMS[word] ?? word.toLowerCase();
}

/** A LONGTEXT with a check. */
function readJsonOfMariadb(name: string, tokens: TokenReader): ColumnRow {
  const attributes = readAttributes(tokens);
  return {
    name,
    dataType: 'longtext',
    columnType: 'longtext',
    nullable: !attributes.notNull,
    octetLength: 0,
    precision: 0,
    scale: 0,
    fraction: 0,
    charset: 'utf8mb4',
    comment: attributes.comment,
    extra: '',
  };
}

/** TEXT(n) and BLOB(n) are the smallest type that holds so many characters or bytes. */
function sized(dataType: string, length: number | undefined, charset: string | null): string {
  if (length === undefined || (dataType !== 'text' && dataType !== 'blob')) return dataType;
  const bytes = length * (charset === null ? 1 : (CHARACTER_BYTES[charset] ?? 1));
  const prefix = bytes < 256 ? 'tiny' : bytes < 65_536 ? '' : bytes < 16_777_216 ? 'medium' : 'long';
  return prefix + dataType;
}

function describeColumnType(
  dataType: string,
  numbers: readonly number[] | null,
  labels: readonly string[],
  { unsigned, compressed }: Attributes,
): string {
  const inside =
    labels.length > 0
      ? `(${labels.map(printLabel).join(',')})`
      : numbers === null || numbers.length === 0 || /text|blob/.test(dataType)
        ? ''
        : `(${numbers.join(',')})`;
  return `${dataType}${inside}${unsigned ? ' unsigned' : ''}${compressed ? ' COMPRESSED' : ''}`;
}

interface Attributes {
  unsigned: boolean;
  notNull: boolean;
  charset: string | null;
  comment: string;
  generated: boolean;
  compressed: boolean;
  isKey: boolean;
}

/** Takes attributes in any order; leaves FIRST and AFTER, and everything behind them. */
function readAttributes(tokens: TokenReader): Attributes {
  const found: Attributes = {
    unsigned: false,
    notNull: false,
    charset: null,
    comment: '',
    generated: false,
    compressed: false,
    isKey: false,
  };
  while (!tokens.ended && !tokens.isWord('FIRST') && !tokens.isWord('AFTER')) readAttribute(tokens, found);
  if (found.isKey) throw new Unreadable('a column that is a key');
  return found;
}

function readAttribute(tokens: TokenReader, found: Attributes): void {
  if (tokens.takeOne('UNSIGNED', 'ZEROFILL') !== null) found.unsigned = true;
  else if (tokens.take('NOT', 'NULL')) found.notNull = true;
  else if (tokens.take('PRIMARY')) {
    tokens.take('KEY');
    found.isKey = true;
  } else if (tokens.take('CHARACTER', 'SET') || tokens.takeOne('CHARSET') !== null) found.charset = charsetName(tokens);
  else if (tokens.take('COLLATE')) found.charset ??= charsetOfCollation(tokens.next().text);
  else if (tokens.takeOne('ASCII') !== null) found.charset = 'latin1';
  else if (tokens.takeOne('UNICODE') !== null) found.charset = 'ucs2';
  else if (tokens.take('COMMENT')) found.comment = tokens.next().text;
  else if (tokens.take('COMPRESSED')) {
    tokens.takeMark('=');
    found.compressed = true;
  } else if (tokens.takeOne('GENERATED', 'AS') !== null) found.generated = true;
  else if (tokens.takeParentheses() === null) tokens.next(); // defaults, checks and references do not change how a column lies
}

export function charsetName(tokens: TokenReader): string {
  tokens.takeMark('=');
  const name = tokens.next().text.toLowerCase();
  if (name === 'default') throw new Unreadable('the default character set');
  return name === 'utf8' ? 'utf8mb3' : name;
}

export function charsetOfCollation(collation: string): string | null {
  const [charset = ''] = collation.toLowerCase().split('_');
  if (charset === 'default' || charset.startsWith('uca1400')) return null;
  return charset === 'utf8' ? 'utf8mb3' : charset;
}
