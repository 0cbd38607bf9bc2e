import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAMILIES, freshMysqlDatabase, mysqlClient, sharedServer } from '../../../../test/support/servers.ts';
import { Follower, joining, openSource } from '../../../../test/support/source-under-test.ts';

const bytes = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

/** Sequences that may be a character, of a character set with at most so many bytes. */
function candidates(charset: string, length: number): Buffer[] {
  const found = bytes(0, 256).map((a) => Buffer.from([a]));
  if (charset.startsWith('utf8')) {
    const points = [
      ...bytes(0x80, 0xd800),
      ...bytes(0xe000, 0x10000),
      ...(length > 3 ? [0x10000, 0x1f9e6, 0x10ffff] : []),
    ];
    return points.map((point) => Buffer.from(String.fromCodePoint(point)));
  }
  if (charset === 'utf32') return [...bytes(0, 0xd800), 0xfeff, 0x1f9e6, 0x10ffff].map((point) => int32(point));
  if (charset === 'utf16' || charset === 'utf16le') {
    const swap = (text: string) =>
      charset === 'utf16' ? Buffer.from(text, 'utf16le').swap16() : Buffer.from(text, 'utf16le');
    return [...bytes(0, 0xd800), 0xfeff, 0x1f9e6, 0x10ffff].map((point) => swap(String.fromCodePoint(point)));
  }
  if (charset === 'ucs2')
    return [...bytes(0, 0xd800), ...bytes(0xe000, 0x10000)].map((unit) => Buffer.from([unit >> 8, unit & 255]));
  if (length > 1) for (const a of bytes(0x80, 256)) for (const b of bytes(0x30, 256)) found.push(Buffer.from([a, b]));
  if (length === 3)
    for (const a of bytes(0xa1, 255)) for (const b of bytes(0xa1, 255)) found.push(Buffer.from([0x8f, a, b]));
  if (length === 4)
    for (const a of [0x81, 0x82, 0x83, 0x84, 0x90, 0x94, 0xe3])
      for (const b of bytes(0x30, 0x3a))
        for (const c of bytes(0x81, 0xff)) found.push(Buffer.from([a, b, c, 0x30 + (c % 10)]));
  return found;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

for (const family of FAMILIES) {
  void describe(`character sets of ${family}`, () => {
    void it('give every character that the server takes as the server itself converts it', async () => {
      const server = await sharedServer(family);
      const database = await freshMysqlDatabase(server);
      const client = await mysqlClient(server, database);
      const [sets] = await client.query('SHOW CHARACTER SET');
      const charsets = (sets as { Charset: string; Maxlen: number }[]).filter(({ Charset }) => Charset !== 'binary');
      await client.query("SET SESSION sql_mode = ''");
      const columns = charsets.map(({ Charset: name }) => `${name} LONGTEXT CHARACTER SET ${name}`).join(', ');
      await client.query(`CREATE TABLE t (id INT PRIMARY KEY, ${columns})`);
      const source = openSource(server, database);
      const follower = new Follower(source);
      follower.start(1, [await joining(source, database, 't', { load: 'none' })]);
      await follower.until(() => follower.state(database, 't') === 'STREAMING');

      await client.query('CREATE TABLE c (b VARBINARY(4)) ENGINE = MyISAM');
      for (const [id, { Charset: name, Maxlen: length }] of charsets.entries()) {
        const all = candidates(name, length);
        await client.query('TRUNCATE c');
        for (let from = 0; from < all.length; from += 20_000)
          await client.query(
            `INSERT INTO c VALUES ${all
              .slice(from, from + 20_000)
              .map((one) => `(X'${one.toString('hex')}')`)
              .join(',')}`,
          );
        // What the server cannot read it converts to NULL, or it changes the bytes; some sets take a lone first byte.
        const [valid] = await client.query({
          sql: `SELECT HEX(b) h FROM c WHERE HEX(CONVERT(b USING ${name})) = HEX(b) AND CHAR_LENGTH(CONVERT(b USING ${name})) = 1
            AND NOT (${length} > 1 AND LENGTH(b) = 1 AND b >= X'80'
              AND (${length} = 3 OR CONVERT(CONVERT(b USING ${name}) USING utf8mb4) = '?'))
            AND NOT (${length} = 3 AND LENGTH(b) = 2 AND b >= X'8F' AND b < X'90')`,
          rowsAsArray: true,
        });
        await client.query(
          `INSERT INTO t (id, ${name}) VALUES (${id}, _${name} X'${(valid as string[][]).flat().join('')}')`,
        );
      }
      await follower.until(() => follower.rows(database, 't').length === charsets.length);
      const rows = new Map(follower.rows(database, 't').map((row) => [row['id'], row]));
      for (const [id, { Charset: name }] of charsets.entries()) {
        const [[expected]] = (await client.query({
          sql: `SELECT HEX(CONVERT(${name} USING utf8mb4)) FROM t WHERE id = ${id}`,
          rowsAsArray: true,
        })) as unknown as [string[][]];
        const given = Buffer.from(rows.get(String(id))?.[name] ?? '');
        const wanted = Buffer.from(expected?.[0] ?? '', 'hex');
        assert.ok(wanted.length >= 128, `${name} has characters`);
        const at = wanted.findIndex((byte, index) => byte !== given[index]);
        const around = (buffer: Buffer) => buffer.subarray(Math.max(0, at - 8), at + 8).toString();
        assert.ok(
          at < 0 && given.length === wanted.length,
          `${name}: …${around(given)}… should be …${around(wanted)}…`,
        );
      }
      await follower.stop();
      await client.end();
    });
  });
}
