// The main job, live: a MySQL shop arrives in a Hologres-compatible database, or with `-- --kafka` in Kafka; a table joins
// while others flow, another leaves, and every row is checked. `-- --once` ends when it has checked itself; without it the
// stack stays up.
import mysql from 'mysql2/promise';
import { type Server, startServer } from '../scripts/servers/servers.ts';
import { Api } from './api.ts';
import type { FarEnd } from './far-end.ts';
import { HologresEnd } from './hologres-end.ts';
import { KafkaEnd } from './kafka-end.ts';
import { say } from './say.ts';
import { startService } from './service.ts';
import { DATABASE, fillShop, ShopWriter, type ShopTable } from './shop.ts';
import { SyncTask } from './sync-task.ts';

const PROJECT = 10000;
const FIRST: readonly ShopTable[] = ['customers', 'products', 'orders', 'reviews'];
const ADDED: ShopTable = 'order_items';
const REMOVED: ShopTable = 'reviews';

const once = process.argv.includes('--once');
const toKafka = process.argv.includes('--kafka');
const closing: (() => unknown)[] = [];

/** What shells say of a program that Ctrl-C ended. */
const INTERRUPTED = 130;
const interrupted = new Promise<void>((resolve) => {
  // Each time: a Ctrl-C comes from the terminal and once more from the program that started us.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
});
void interrupted.then(() => say('ending the servers and the service'));

async function main(): Promise<number> {
  say(
    `starting MariaDB and ${toKafka ? 'Kafka' : 'PostgreSQL (the Hologres stand-in)'}: private instances, nothing of yours is touched`,
  );
  const [source, target] = await Promise.all([
    startServer('mariadb'),
    toKafka ? KafkaEnd.start() : HologresEnd.start(),
  ]);
  closing.unshift(
    () => source.stop(),
    () => target.stop(),
  );
  say(`${source.version} on port ${source.port}, ${target.server.version} on port ${target.server.port}`);

  const connection = await connectMysql(source);
  await fillShop(connection, (table, rows) => say(`filled ${table}: ${rows.toLocaleString('en')} rows`));
  const writer = new ShopWriter(await connectMysql(source));
  writer.start();
  closing.unshift(() => writer.stop());
  say('a steady write load has begun');

  const service = await startService();
  closing.unshift(() => service.stop());
  say(`disync serves on http://${service.endpoint}`);
  const api = new Api(service.endpoint, PROJECT);
  const task = await SyncTask.start(api, { source, sink: target.sink, tables: FIRST });
  await task.untilStreaming(FIRST);
  say(`all ${FIRST.length} tables stream`);

  const probe = target.watchLag();
  await task.change([...FIRST, ADDED], `adding ${ADDED} while the others flow`);
  await task.untilStreaming([...FIRST, ADDED]);
  const lag = await probe.stop();
  say(
    `${ADDED} is loaded and streams; the untouched tables lagged ${lag.p50} ms (median), ${lag.p99} ms (p99), ${lag.max} ms (most) meanwhile`,
  );

  const kept = [...FIRST, ADDED].filter((table) => table !== REMOVED);
  await task.change(kept, `removing ${REMOVED}`);
  await task.untilStreaming(kept);
  const before = await target.count(REMOVED);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const frozen = (await target.count(REMOVED)) === before;
  say(
    `${REMOVED} left: its ${before.toLocaleString('en')} ${target.counted} at the target ${frozen ? 'stay as they are' : 'STILL CHANGE'}`,
  );

  await writer.stop();
  say(`the load has ended after ${writer.changes.toLocaleString('en')} row changes; comparing every row`);
  const isEqual = await checkAll(connection, target, kept);
  const isGood = isEqual && frozen;
  say(isGood ? target.proven : 'NOT AS IT SHOULD BE');
  target.show();
  if (!once) explain(service.endpoint, task, source, target);
  return isGood ? 0 : 1;
}

/** Compares until nothing differs, which the last changes may take a moment for; shows what it came to. */
async function checkAll(source: mysql.Connection, target: FarEnd, tables: readonly ShopTable[]): Promise<boolean> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const results = [];
    for (const table of tables) results.push(await target.check(source, table));
    const isEqual = results.every(({ isGood }) => isGood);
    if (!isEqual && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      continue;
    }
    const titles = Object.keys(results[0]?.figures ?? {});
    const line = (name: string, cell: (title: string) => string) =>
      console.log(
        `          ${name.padEnd(12)}${titles.map((title) => ` ${cell(title).padStart(Math.max(8, title.length + 2))}`).join('')}`,
      );
    console.log();
    line('table', (title) => title);
    for (const { table, figures } of results) line(table, (title) => String(figures[title]));
    console.log();
    return isEqual;
  }
}

async function connectMysql({ port, user, password }: Server): Promise<mysql.Connection> {
  return mysql.createConnection({ host: '127.0.0.1', port, user, password, charset: 'utf8mb4', decimalNumbers: false });
}

function explain(endpoint: string, { file }: SyncTask, source: Server, target: FarEnd): void {
  const commands = [
    `mariadb -h127.0.0.1 -P${source.port} -u${source.user} -p${source.password} ${DATABASE}`,
    ...target.commands,
    `export DISYNC_ENDPOINT=http://${endpoint}`,
    `node bin/disync.mjs call GetDISyncInstanceInfo ProjectId=${PROJECT} TaskType=DI_REALTIME FileId=${file}`,
    `curl http://${endpoint}/metrics`,
  ];
  console.log(`
          The stack stays up until Ctrl-C. Try, in another terminal:

${commands.map((command) => `            ${command}`).join('\n')}
`);
}

let code = 1;
try {
  code = await Promise.race([main(), interrupted.then(() => INTERRUPTED)]);
  if (!once) await interrupted;
} catch (error) {
  console.error(error instanceof Error ? `\nquickstart failed: ${error.message}` : error);
} finally {
  for (const close of closing) await Promise.resolve(close()).then(undefined, () => {});
}
process.exit(code);
