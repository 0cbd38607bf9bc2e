// Makes src/connectors/mysql/charset/tables.json: what a MySQL server makes of every sequence of bytes that it takes in each of
// its character sets. Run it when a server brings a new one: node scripts/node24.mjs scripts/charset-tables.ts
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { Connection } from 'mysql2/promise';
import mysql from 'mysql2/promise';
import { startServer } from './servers/servers.ts';

/** Those whose bytes are UTF-8, or that are decoded by rule (charset.ts). */
const BY_RULE = /^(utf|ucs2|binary|ascii)/;
const UNKNOWN = 0x3f;
const TARGET = join(import.meta.dirname, '../src/connectors/mysql/charset/tables.json');

/** Sequences of so many bytes, as hexadecimal texts, in the order of the plane. */
function sequences(plane: string): string[] {
  const bytes = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
  const hex = (...parts: number[]) => Buffer.from(parts).toString('hex');
  switch (plane) {
    case '1':
      return bytes(0, 256).map((a) => hex(a));
    case '2':
      return bytes(0, 256).flatMap((a) => bytes(0, 256).map((b) => hex(a, b)));
    case '3': // behind 0x8f
      return bytes(0, 256).flatMap((a) => bytes(0, 256).map((b) => hex(0x8f, a, b)));
    default: // four bytes of gb18030, up to the end of the basic plane; the others are in the order of Unicode
      return bytes(0x81, 0x85).flatMap((a) =>
        bytes(0x30, 0x3a).flatMap((b) =>
          bytes(0x81, 0xff).flatMap((c) => bytes(0x30, 0x3a).map((d) => hex(a, b, c, d))),
        ),
      );
  }
}

/** Code points by the number of the sequence; 0 where the server does not take it as one character. */
async function readPlane(client: Connection, charset: string, length: number, plane: string): Promise<Uint16Array> {
  const all = sequences(plane);
  const points = new Uint16Array(all.length);
  await client.query(
    `CREATE TABLE p (id INT PRIMARY KEY, b VARBINARY(4), v VARCHAR(4) CHARACTER SET ${charset}) ENGINE = MyISAM`,
  );
  for (let from = 0; from < all.length; from += 20_000) {
    const rows = all.slice(from, from + 20_000).map((hex, index) => `(${from + index}, X'${hex}', X'${hex}')`);
    await client.query(`INSERT IGNORE INTO p VALUES ${rows.join(',')}`);
  }
  const [rows] = await client.query(
    `SELECT id, HEX(CONVERT(v USING utf32)) u FROM p WHERE HEX(v) = HEX(b) AND CHAR_LENGTH(v) = 1`,
  );
  for (const { id, u } of rows as { id: number; u: string }[]) {
    const point = Number.parseInt(u, 16);
    // Some multi-byte sets take a lone first byte, as a character that is none.
    const isLone = plane === '1' && id >= 0x80 && (length === 3 || (length > 1 && point === UNKNOWN));
    if (!isLone) points[id] = point;
  }
  await client.query('DROP TABLE p');
  return points;
}

/** Differences to the point before: what follows one another compresses well. */
function packed(points: Uint16Array): string {
  const steps = points.map((point, index) => point - (points[index - 1] ?? 0));
  return deflateSync(Buffer.from(steps.buffer), { level: 9 }).toString('base64');
}

const server = await startServer('mysql', {});
const client = await mysql.createConnection({
  host: '127.0.0.1',
  port: server.port,
  user: server.user,
  password: server.password,
  charset: 'utf8mb4',
});
const tables: Record<string, Record<string, string>> = {};
try {
  await client.query("SET sql_mode = ''");
  await client.query('CREATE DATABASE charsets');
  await client.query('USE charsets');
  const [sets] = await client.query('SHOW CHARACTER SET');
  for (const { Charset: name, Maxlen: length } of sets as { Charset: string; Maxlen: number }[]) {
    if (BY_RULE.test(name)) continue;
    const planes: Record<string, string> = {};
    for (const plane of ['1', ...(length > 1 ? ['2'] : []), ...(length > 2 ? [String(length)] : [])])
      planes[plane] = packed(await readPlane(client, name, length, plane));
    tables[name] = planes;
    console.log(name);
  }
} finally {
  await client.end();
  await server.stop();
}
writeFileSync(TARGET, `${JSON.stringify(tables, null, 2)}\n`);
