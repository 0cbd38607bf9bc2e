// npm run test:long -- record-logs: writes test/vectors/logs anew, from the servers that this machine can start.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { startMysql56 } from '../../scripts/servers/mysql.ts';
import { type Server, startServer } from '../../scripts/servers/servers.ts';
import { BinlogReader } from '../../src/connectors/mysql/binlog-reader.ts';
import { connectForQueries } from '../../src/connectors/mysql/connect.ts';
import { asMysqlSettings } from '../../src/connectors/mysql/options.ts';
import { HEARTBEAT } from '../../src/connectors/mysql/protocol/event.ts';
import { readSchema } from '../../src/connectors/mysql/schema.ts';
import { readLogEnd, readServerFacts } from '../../src/connectors/mysql/server-facts.ts';
import { LOG_VECTORS, type RecordedLog } from '../support/recorded-logs.ts';
import { mysqlClient } from '../support/servers.ts';
import { settingsOf } from '../support/source-under-test.ts';

const DATABASE = 'shop';
const TABLES = ['a', 'b', 'c'];
const SCHEMA = [
  `CREATE TABLE a (id INT PRIMARY KEY, t1 TINYINT, t2u SMALLINT UNSIGNED, t3 MEDIUMINT, t8 BIGINT, t8u BIGINT UNSIGNED,
    d DECIMAL(20,6), dd DECIMAL(65,30), f FLOAT, g DOUBLE, da DATE, ti TIME(3), dt DATETIME(6), ts TIMESTAMP(2) NULL, y YEAR,
    b9 BIT(9), b64 BIT(64))`,
  `CREATE TABLE b (x INT, y VARCHAR(40), c CHAR(20), cl VARCHAR(90) CHARACTER SET latin1, cg VARCHAR(300) CHARACTER SET gbk,
    tx TEXT, lt LONGTEXT, vb VARBINARY(300), bn BINARY(16), bl BLOB, mb MEDIUMBLOB, e ENUM('one','two','drei'),
    s SET('a','b','c','d','e','f','g','h','i'), PRIMARY KEY (x, y))`,
  'CREATE TABLE c (id INT PRIMARY KEY, n INT)',
  'CREATE TABLE other (id INT PRIMARY KEY, n INT)',
];
const A = (id: number) =>
  `(${id}, -${id}, ${id * 7}, -${id * 99}, -${id}00000000007, 18446744073709551615, -12345678901234.567891, 12345678901234567890123456789012345.678901234567890123456789012345, 1.5, -2.25e300, '2024-02-29', '-838:59:58.999', '9999-12-31 23:59:59.999999', '2024-02-29 01:02:03.25', 2024, b'101010101', b'11')`;
const B = (id: number) =>
  `(${id}, 'key ${id}', 'ä', 'é€', '中文', REPEAT('t', ${id * 60}), REPEAT('ü', 300), REPEAT(X'00FF', 140), X'0102', NULL, REPEAT(X'AB', 300), 'drei', 'a,i')`;
const SERVED = [
  `INSERT INTO a VALUES ${[1, 2, 3].map(A).join()}`,
  `INSERT INTO b VALUES ${[1, 2, 3].map(B).join()}`,
  'INSERT INTO other VALUES (1, 1)',
  'INSERT INTO c VALUES (1, 1), (2, 2), (3, NULL)',
  'UPDATE c SET n = 7',
  'BEGIN; UPDATE a SET t1 = 0, d = NULL, f = NULL WHERE id < 3; SAVEPOINT s; DELETE FROM b WHERE x = 1; ROLLBACK TO s; DELETE FROM b WHERE x = 2; UPDATE other SET n = 3; COMMIT',
  'ALTER TABLE c ADD COLUMN extra VARCHAR(30) CHARACTER SET utf8mb4, ADD COLUMN more DECIMAL(12,3)',
  "INSERT INTO c (id, n) VALUES (4, 4), (5, 5); UPDATE c SET extra = 'late' WHERE id > 3",
  'CREATE TABLE fresh (id INT PRIMARY KEY); DROP TABLE fresh',
  'REPLACE INTO c (id, n) VALUES (5, 6); DELETE FROM c WHERE id = 1',
];
const XA = "XA START 'x'; INSERT INTO c (id, n) VALUES (50, 1); XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x'";
const SURPRISES: Readonly<Record<Kind, readonly string[]>> = {
  mariadb: [
    `SET GLOBAL log_bin_compress = ON, log_bin_compress_min_len = 10; INSERT INTO b VALUES ${[11, 12].map(B).join()}`,
    'UPDATE b SET lt = NULL WHERE x = 11; DELETE FROM b WHERE x = 11; ALTER TABLE other ADD COLUMN long_name_of_a_column INT',
    'SET GLOBAL log_bin_compress = OFF',
    XA,
  ],
  mysql: [
    `SET SESSION binlog_transaction_compression = ON; INSERT INTO b VALUES ${[11, 12].map(B).join()}; UPDATE b SET lt = NULL WHERE x = 11`,
    "SET SESSION binlog_transaction_compression = OFF; SET GTID_NEXT = 'AUTOMATIC:tagged'; INSERT INTO c (id, n) VALUES (60, 1)",
    "SET GTID_NEXT = 'AUTOMATIC'; SET SESSION binlog_rows_query_log_events = ON; INSERT INTO c (id, n) VALUES (61, 1)",
    `SET SESSION binlog_row_value_options = 'PARTIAL_JSON'; CREATE TABLE j (id INT PRIMARY KEY, doc JSON)`,
    `INSERT INTO j VALUES (1, '{"a": "text of some length", "b": [1, 2, 3]}'); UPDATE j SET doc = JSON_SET(doc, '$.a', 'y')`,
    XA,
  ],
  mysql56: [XA],
};
type Kind = 'mariadb' | 'mysql' | 'mysql56';

export async function run(): Promise<void> {
  mkdirSync(LOG_VECTORS, { recursive: true });
  for (const kind of ['mariadb', 'mysql', 'mysql56'] as const) {
    const server = await (kind === 'mysql56' ? startMysql56() : startServer(kind));
    try {
      const log = await record(kind, server);
      writeFileSync(join(LOG_VECTORS, `${kind}.json`), `${JSON.stringify(log, null, 1)}\n`);
      console.log(log.server, ...log.streams.map(({ name, packets }) => `${name}: ${packets.length} packets`));
    } finally {
      await server.stop();
    }
  }
}

async function record(kind: Kind, server: Server): Promise<RecordedLog> {
  const client = await mysqlClient(server);
  await client.query(`CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4; USE ${DATABASE}; SET time_zone = '+00:00'`);
  for (const sql of SCHEMA) await client.query(sql);
  const questions = await connectForQueries(asMysqlSettings(settingsOf(server, DATABASE)));
  const facts = await readServerFacts(questions);
  const entries = await readSchema(
    questions,
    facts,
    TABLES.map((table) => ({ database: DATABASE, table })),
  );
  const tables = entries.map((entry) => {
    if (entry.kind === 'problems') throw new Error(entry.problems.map(({ message }) => message).join('; '));
    return entry.table;
  });
  const collations = await questions.query(
    'SELECT ID id, CHARACTER_SET_NAME charset FROM information_schema.collations WHERE ID IS NOT NULL',
  );
  const streams = [];
  for (const [name, statements] of [
    ['served', SERVED],
    ['surprises', SURPRISES[kind]],
  ] as const) {
    await client.query('FLUSH BINARY LOGS');
    const from = await readLogEnd(questions, facts);
    for (const sql of statements) await client.query(sql);
    streams.push({ name, packets: await packetsOf(server, from?.file ?? '', 4) });
  }
  await readWithoutSums(server, client);
  questions.close();
  await client.end();
  return {
    server: server.version,
    tables,
    charsets: Object.fromEntries(collations.map((row) => [row['id'] ?? '', row['charset'] ?? ''])),
    streams,
  };
}

/** Everything from a place of the log on until the server has no more. */
async function packetsOf(server: Server, file: string, position: number): Promise<string[]> {
  const reader = await BinlogReader.open(
    asMysqlSettings(settingsOf(server, DATABASE)),
    { file, position },
    {
      serverId: 77,
      identity: null,
    },
  );
  const packets: string[] = [];
  try {
    for (;;) {
      while (!reader.take()) await reader.more();
      const { buffer, bodyStart, bodyEnd, type } = reader;
      packets.push(buffer.toString('base64', bodyStart - 20, bodyEnd + 4));
      if (type === HEARTBEAT) return packets;
      reader.release();
    }
  } finally {
    reader.close();
  }
}

/** What BinlogReader relies on: a log without sums is read, from the beginning of a file and from within. */
async function readWithoutSums(server: Server, client: Connection): Promise<void> {
  await client.query('SET GLOBAL binlog_checksum = NONE; CREATE TABLE unsummed (id INT PRIMARY KEY)');
  const [rows] = await client.query(
    server.version.startsWith('MySQL 9') ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS',
  );
  const { File: file = '', Position: end = 4 } = (rows as { File: string; Position: number }[])[0] ?? {};
  await packetsOf(server, file, 4);
  // Within a file the server sends the format with a field changed.
  await packetsOf(server, file, end);
}
