import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from '../../scripts/servers/packages.ts';
import { mysqlTool } from '../../scripts/servers/mysql.ts';
import type { RandomColumn } from './random-columns.ts';
import type { Family, TestServer } from './servers.ts';
import type { Value } from './source-under-test.ts';

/** A change as the server's own tool tells it: images as canonical texts, parallel to the columns. */
export interface LoggedChange {
  readonly op: 'insert' | 'update' | 'delete';
  readonly before: readonly Value[] | null;
  readonly after: readonly Value[] | null;
}

/** What `mariadb-binlog -v` or `mysqlbinlog -v` reads of one table in one file of the log. */
export async function readWithServersTool(
  family: Family,
  server: TestServer,
  options: { file: string; database: string; table: string; columns: readonly RandomColumn[] },
): Promise<LoggedChange[]> {
  const { file, database, table, columns } = options;
  const [program = '', ...first] =
    family === 'mysql' ? await mysqlTool('mysqlbinlog') : [findProgram('mariadb-binlog') ?? 'mariadb-binlog'];
  const { stdout } = await promisify(execFile)(
    program,
    [
      ...first,
      '--no-defaults',
      '--read-from-remote-server',
      '--host=127.0.0.1',
      `--port=${server.port}`,
      `--user=${server.user}`,
      '--verbose',
      '--base64-output=DECODE-ROWS',
      file,
    ],
    { env: { ...process.env, MYSQL_PWD: server.password }, encoding: 'latin1', maxBuffer: 2 ** 30 },
  );
  return parseChanges(stdout, family, `\`${database}\`.\`${table}\``, columns);
}

const VERBS = { 'INSERT INTO': 'insert', UPDATE: 'update', 'DELETE FROM': 'delete' } as const;

function parseChanges(text: string, family: Family, name: string, columns: readonly RandomColumn[]): LoggedChange[] {
  const changes: { op: LoggedChange['op']; before: Value[] | null; after: Value[] | null }[] = [];
  let image: Value[] | null = null;
  for (const line of text.split('\n')) {
    if (!line.startsWith('### ')) continue;
    const head = /^### (INSERT INTO|UPDATE|DELETE FROM) (`.*)$/.exec(line);
    const change = changes.at(-1);
    if (head !== null) {
      image = null;
      if (head[2] === name) changes.push({ op: VERBS[head[1] as keyof typeof VERBS], before: null, after: null });
    } else if (change === undefined) continue;
    else if (line === '### WHERE') change.before = image = [];
    else if (line === '### SET') change.after = image = [];
    else if (image !== null) {
      const column = columns[image.length];
      if (column !== undefined) image.push(fromTool(family, column, line.slice(line.indexOf('=') + 1)));
    }
  }
  return changes;
}

/** A value as the tool prints it, in our canonical text. */
function fromTool(family: Family, column: RandomColumn, raw: string): Value {
  if (raw === 'NULL') return null;
  const plain = raw.replace(/^'|'$/g, '');
  switch (column.kind) {
    case 'integer': {
      const [, signed = '', unsigned] = /^(-?\d+)(?: \((\d+)\))?/.exec(raw) ?? [];
      return column.unsigned && unsigned !== undefined ? unsigned : signed;
    }
    case 'decimal':
      return raw;
    case 'year':
      return raw === '1900' ? '0' : raw;
    case 'float':
      return `f${Number(raw)}`;
    case 'double':
      return `d${Number(raw)}`;
    case 'date':
      return plain.split(':').map(Number).join('-');
    case 'instant': {
      const [seconds = '', fraction = ''] = raw.split('.');
      return `@${seconds}+${micros(fraction)}us`;
    }
    case 'time':
    case 'datetime':
      return civil(column, plain);
    case 'bits':
      return bitsOf(column, BigInt(`0b${raw.slice(2, -1)}`));
    case 'text':
      return new TextDecoder(column.encoding).decode(unquote(family, raw));
    case 'bytes':
      return bytesOf(column, unquote(family, raw));
    case 'enum': {
      const ordinal = Number(raw);
      return `${ordinal === 0 ? '' : column.labels[ordinal - 1]}#${ordinal}`;
    }
    case 'set': {
      // Byte by byte as it is stored, the lowest first.
      const mask = BigInt(`0b${(raw.slice(2, -1).match(/.{8}/g) ?? []).toReversed().join('')}`);
      return `${column.labels.filter((_, bit) => (mask & (1n << BigInt(bit))) !== 0n).join()}#${mask}`;
    }
    case 'json':
    case 'geometry':
    case 'vector':
    case 'address':
      throw new Error(`the tool does not print ${column.sql} as it is`);
  }
}

/** MariaDB marks bytes below a space only; MySQL also quotes and backslashes, and some by letters. */
function unquote(family: Family, raw: string): Buffer {
  const inner = raw.slice(1, -1);
  const text = inner.replace(family === 'mysql' ? /\\(x[0-9a-f]{2}|.)/g : /\\(x[0-9a-f]{2})/g, (_, mark: string) =>
    mark.length === 3 ? String.fromCharCode(Number.parseInt(mark.slice(1), 16)) : (LETTERS[mark] ?? mark),
  );
  return Buffer.from(text, 'latin1');
}

const LETTERS: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  0: '\0',
};

/** The expression whose text `fromSelect` reads. */
export function selectExpression({ kind, name }: RandomColumn): string {
  switch (kind) {
    case 'float':
    case 'double':
      return `${name} + 0e0`;
    case 'text':
    case 'set':
      return `HEX(CONVERT(${name} USING utf8mb4))`;
    case 'bytes':
    case 'geometry':
    case 'vector':
      return `HEX(${name})`;
    case 'json':
      return `HEX(CONVERT(CAST(${name} AS CHAR) USING utf8mb4))`;
    case 'bits':
      return `CAST(${name} + 0 AS CHAR)`;
    case 'enum':
      return `CONCAT(${name} + 0, ' ', HEX(CONVERT(${name} USING utf8mb4)))`;
    case 'integer':
      // Without the zeros of ZEROFILL.
      return `CAST(${name} + 0 AS CHAR)`;
    case 'year':
    case 'decimal':
    case 'date':
    case 'time':
    case 'datetime':
    case 'instant':
    case 'address':
      return `CAST(${name} AS CHAR)`;
  }
}

/** A value of `selectExpression`, in our canonical text. The session's time zone is UTC. */
export function fromSelect(column: RandomColumn, text: string | null): Value {
  if (text === null) return null;
  switch (column.kind) {
    case 'float':
      return `f${Math.fround(Number(text))}`;
    case 'double':
      return `d${Number(text)}`;
    case 'year':
      return String(Number(text));
    case 'date':
      return text.split('-').map(Number).join('-');
    case 'instant': {
      const [date = '', fraction = ''] = text.split('.');
      return `@${Date.parse(`${date.replace(' ', 'T')}Z`) / 1000}+${micros(fraction)}us`;
    }
    case 'time':
    case 'datetime':
      return civil(column, text);
    case 'bits':
      return bitsOf(column, BigInt(text));
    case 'text':
    case 'json':
      return Buffer.from(text, 'hex').toString();
    case 'bytes':
    case 'vector':
      return bytesOf(column, Buffer.from(text, 'hex'));
    case 'geometry':
      // Behind its reference system.
      return `x${text.slice(8).toLowerCase()}`;
    case 'set': {
      // Its number is not asked for: as an expression it is a double, or signed.
      const chosen = Buffer.from(text, 'hex').toString();
      const bits = chosen === '' ? [] : chosen.split(',').map((label) => 1n << BigInt(column.labels.indexOf(label)));
      return `${chosen}#${bits.reduce((mask, bit) => mask | bit, 0n)}`;
    }
    case 'enum': {
      const [ordinal = '', label = ''] = text.split(' ');
      return `${Buffer.from(label, 'hex').toString()}#${Number(ordinal)}`;
    }
    case 'integer':
    case 'decimal':
    case 'address':
      return text;
  }
}

function civil({ kind }: RandomColumn, text: string): string {
  const [whole = '', fraction = ''] = text.split('.');
  if (kind === 'time') {
    const [hours = 0, minutes = 0, seconds = 0] = whole.replace('-', '').split(':').map(Number);
    const total = (hours * 3600 + minutes * 60 + seconds) * 1e6 + micros(fraction);
    return `${text.startsWith('-') ? -total : total}us`;
  }
  const [date = '', time = ''] = whole.split(' ');
  return `${date.split('-').map(Number).join('-')} ${time.split(':').map(Number).join(':')}+${micros(fraction)}us`;
}

function micros(fraction: string): number {
  return Number(fraction.padEnd(6, '0'));
}

function bitsOf({ width }: RandomColumn, value: bigint): string {
  return `x${value.toString(16).padStart(2 * width, '0')}`;
}

/** The log leaves out the zeros at the end of a BINARY. */
function bytesOf({ width }: RandomColumn, value: Buffer): string {
  return `x${value.toString('hex').padEnd(2 * width, '0')}`;
}
