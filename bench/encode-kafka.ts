// How fast the rows of the log become records of each Kafka envelope, in processor time beside that of reading them.
// npm run bench -- encode-kafka [--n CHANGES] [--family mariadb|mysql]
import type { RunOptions } from '../scripts/run-named.ts';
import { fillUsual, inProcess, orderOf } from './support/backlog.ts';
import type { EnvelopeWay } from './support/decode-process.ts';
import { measureEachFamily } from './support/each-family.ts';
import { printFigures } from './support/report.ts';
import { USUAL } from './workload.ts';

const CHANGES = USUAL.inserts + USUAL.updates + USUAL.deletes;
const WAYS: readonly (EnvelopeWay | 'json')[] = ['json', 'dataworks', 'debezium', 'debezium-schema', 'canal'];
const MIB = 2 ** 20;
const TARGETS = {
  debeziumImagesPerCpuSecond: { atLeast: 1_000_000 },
  canalImagesPerCpuSecond: { atLeast: 1_000_000 },
};

export async function run({ n, seed, args }: RunOptions): Promise<void> {
  const figures = await measureEachFamily(args, async (source, client) => {
    const backlog = await fillUsual(client, (n ?? CHANGES) / CHANGES, seed);
    const order = await orderOf(source, backlog);
    const walk = (await inProcess({ ...order, way: 'walk' })).result.cpuSeconds;
    const found: Record<string, number> = {};
    for (const way of WAYS) {
      const { result, rss } = await inProcess({ ...order, way });
      const { rows, records, bytes, cpuSeconds } = result;
      if (rows !== backlog.changes) throw new Error(`${way} read ${rows} of ${backlog.changes} changes`);
      const seconds = cpuSeconds - walk;
      // Updates have two images.
      const images = rows * (1 + USUAL.updates / CHANGES);
      const name = way.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
      found[`${name}ImagesPerCpuSecond`] = Math.round(images / seconds);
      found[`${name}MiBPerCpuSecond`] = Math.round(bytes / seconds / MIB);
      console.log(
        `  ${way}: ${records.toLocaleString('en')} records of ${Math.round(bytes / Math.max(1, records))} bytes; beside reading ` +
          `${Math.round(images / seconds).toLocaleString('en')} images per CPU second, ${Math.round(bytes / seconds / MIB)} MiB; ` +
          `with it ${Math.round(rows / cpuSeconds).toLocaleString('en')} changes; peak RSS ${rss} MiB`,
      );
    }
    return found;
  });
  printFigures('encode-kafka', figures, TARGETS);
}
