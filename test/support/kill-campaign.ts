import type { Connection } from 'mysql2/promise';
import { randomOf } from '../../bench/workload.ts';
import { DATABASE, fillShop, SHOP_TABLES, ShopWriter } from '../../quickstart/shop.ts';
import { compareTable } from '../../quickstart/compare.ts';
import { type Server, type ServerKind, startServer } from '../../scripts/servers/servers.ts';
import { mysqlClient, pgClient } from './servers.ts';
import { Service } from './service.ts';
import { TaskUnderTest } from './task-under-test.ts';

export interface CampaignResult {
  readonly kills: number;
  readonly changes: number;
  readonly compared: readonly { readonly table: string; readonly rows: number; readonly differences: number }[];
}

/**
 * Kills the service with SIGKILL at random moments of planning, deploying, loading and streaming, while writers write and
 * the list of tables changes at random; in the end every table that is wanted must be equal, row for row.
 */
export async function killCampaign(options: {
  family: ServerKind;
  kills: number;
  seed: number;
  say: (line: string) => void;
}): Promise<CampaignResult> {
  const { family, kills, seed, say } = options;
  const random = randomOf(seed);
  const [source, target] = await Promise.all([startServer(family), startServer('postgres')]);
  const client = await mysqlClient(source);
  await fillShop(client, () => {});
  const writers = await Promise.all([1, 2].map(async () => new ShopWriter(await mysqlClient(source))));
  const [writer] = writers;
  const service = await Service.start();
  try {
    const pg = await pgClient(target);
    const ends = {
      source,
      target,
      database: DATABASE,
      targetDatabase: 'postgres',
      mysql: client,
      pg,
      close: async () => {},
    };
    const task = new TaskUnderTest(service, ends);
    writer?.start();
    let wanted: string[] = ['customers', 'orders'];
    await task.run({ table: wanted });
    for (let kill = 1; kill <= kills; kill += 1) {
      const next = SHOP_TABLES.filter(() => random() < 0.6);
      const tables = next.length === 0 ? ['orders'] : [...next];
      const changing =
        random() < 0.7
          ? task.change({ table: tables }).then(() => void (wanted = tables), ignoreCut)
          : Promise.resolve();
      await new Promise((resolve) => setTimeout(resolve, random() * 1200));
      await service.kill();
      await changing;
      await service.restart();
      say(`kill ${kill} of ${kills}: wanted ${wanted.join(', ')}`);
    }
    // What was wanted last may have been deployed or not when its call was cut: it is said again.
    await task.change({ table: wanted });
    await task.untilStreaming(...wanted);
    await writer?.stop();
    const compared = await compareAll(client, pg, wanted);
    await pg.end();
    return { kills, changes: writer?.changes ?? 0, compared };
  } finally {
    await service.dispose();
    await client.end();
    await Promise.all(([source, target] as Server[]).map((server) => server.stop()));
  }
}

function ignoreCut(): void {
  // The call was cut by the kill: whether it took effect is what the campaign is about.
}

async function compareAll(client: Connection, pg: Parameters<typeof compareTable>[1], tables: readonly string[]) {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const compared = [];
    for (const table of tables) compared.push(await compareTable(client, pg, DATABASE, table));
    if (compared.every(({ differences }) => differences === 0) || Date.now() > deadline) return compared;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
