import type { Connection } from 'mysql2/promise';
import { type Server, startServer } from '../../scripts/servers/servers.ts';
import { DATABASE } from './backlog.ts';
import { connectSource, createDatabase, relaxed } from './connections.ts';
import { describeConditions, familiesOf, SOURCE_SETTINGS } from './report.ts';

/** What `measure` finds for each family that is asked for: on a source of its own, relaxed, whose connection uses a new database. */
export async function measureEachFamily<Found>(
  args: readonly string[],
  measure: (source: Server, client: Connection) => Promise<Found>,
): Promise<Record<string, Found>> {
  const figures: Record<string, Found> = {};
  for (const family of familiesOf(args)) {
    const source = await startServer(family, SOURCE_SETTINGS);
    console.log(describeConditions(source));
    const client = await connectSource(source);
    try {
      await createDatabase(client, DATABASE);
      await relaxed(client, true);
      figures[family] = await measure(source, client);
    } finally {
      await client.end();
      await source.stop();
    }
  }
  return figures;
}
