// npm run test:long -- huge-file [--gigabytes 4.2] [--family mariadb|mysql]: a log file of over 4 GiB, with small transactions
// behind the one that makes it so large. A resume between those delivers the rows behind that place, each once. Takes twice the
// size on disk.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import type { RunOptions } from '../../scripts/run-named.ts';
import { type Server, startServer } from '../../scripts/servers/servers.ts';
import { FAMILIES, mysqlClient } from '../support/servers.ts';
import { Follower, joining, openSource } from '../support/source-under-test.ts';

const ROW_BYTES = 64 << 20;
const PLACE_MAX = 2 ** 32;

export async function run({ args }: RunOptions): Promise<void> {
  const option = (name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
  const bytes = Number(option('--gigabytes') ?? 4.2) * 2 ** 30;
  for (const family of FAMILIES.filter((one) => (option('--family') ?? one) === one)) {
    const server = await startServer(family, {
      sync_binlog: '0',
      ...(family === 'mariadb' ? { plugin_load_add: 'ha_blackhole' } : {}),
    });
    try {
      const result = await readHugeFile(server, bytes);
      console.log(family, JSON.stringify(result));
      if (!result.isWhole) process.exitCode = 1;
    } finally {
      await server.stop();
    }
  }
}

async function readHugeFile(server: Server, bytes: number) {
  const client = await mysqlClient(server);
  await client.query(
    `CREATE DATABASE d; CREATE TABLE d.t (id BIGINT AUTO_INCREMENT PRIMARY KEY, n INT);
     CREATE TABLE d.huge (id BIGINT PRIMARY KEY, pad LONGBLOB) ENGINE = BLACKHOLE`,
  );
  const source = openSource(server, 'd');
  const follower = new Follower(source);
  follower.start(1, [await joining(source, 'd', 't', { load: 'none' })]);
  await follower.until(() => follower.offset !== null);
  await follower.stop();
  const stopWriting = writeSmallOnes(server);
  await client.query('BEGIN');
  for (let written = 0; written < bytes; written += ROW_BYTES)
    await client.query(`INSERT INTO d.huge VALUES (${written}, REPEAT('x', ${ROW_BYTES}))`);
  console.log('committing');
  await client.query('COMMIT');
  await stopWriting();
  const place = await lastPlaceBehind(client);
  const begun = performance.now();
  follower.offset = { ...follower.offset, ...place.at };
  const resumed = follower.goOn(openSource(server, 'd'));
  while (
    resumed.rows('d', 't').length < place.transactions &&
    resumed.error === null &&
    performance.now() - begun < 300_000
  )
    await sleep(50);
  await sleep(2000); // nothing more comes
  const changes = resumed.changes.get('d\0t') ?? 0;
  const { error, offset } = resumed;
  await resumed.stop();
  await client.end();
  return {
    isWhole: error === null && changes === place.transactions && place.at.position > PLACE_MAX,
    place,
    changes,
    error: String(error),
    offset,
    secondsToResume: Math.round((performance.now() - begun) / 1000) - 2,
    rssMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
  };
}

/**
 * A place beyond 4 GiB: between two transactions of the huge file, or at its end where the server began the next one at once;
 * and how many transactions follow.
 */
async function lastPlaceBehind(client: Connection) {
  const [rows] = await client.query('SHOW BINARY LOGS');
  const files = rows as { Log_name: string; File_size: number | string }[];
  const huge = files.findIndex((file) => Number(file.File_size) > PLACE_MAX);
  const places: { file: string; position: number; type: string }[] = [];
  for (const { Log_name: file } of files.slice(huge)) {
    const [events] = await client.query(`SHOW BINLOG EVENTS IN '${file}'`);
    for (const { Event_type: type, Pos } of events as { Event_type: string; Pos: number | string }[])
      if (type === 'Gtid' || type === 'Rotate') places.push({ file, position: Number(Pos), type });
  }
  const far = places.filter(({ position }) => position > PLACE_MAX);
  const at = far[1] ?? far[0];
  if (at === undefined) throw new Error('no event begins beyond 4 GiB');
  const transactions = places.slice(places.indexOf(at)).filter(({ type }) => type === 'Gtid').length;
  return { at: { file: at.file, position: at.position, fileBegun: 0 }, transactions, far: far.length };
}

/** Small transactions that queue behind the huge one end up in its file, before the server begins the next. */
function writeSmallOnes(server: Server): () => Promise<void> {
  let running = true;
  const writers = Array.from({ length: 4 }, async () => {
    const client = await mysqlClient(server);
    while (running) {
      await client.query('INSERT INTO d.t (n) VALUES (1)');
      await sleep(20);
    }
    await client.end();
  });
  // Told by `stop`; a server that was stopped before is told by whatever stopped it.
  for (const writer of writers) writer.catch(() => {});
  return async () => {
    running = false;
    await Promise.all(writers);
  };
}
