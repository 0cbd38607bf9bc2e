// npm run test:long -- kafka-faults --n FAULTS --seed S [--family mariadb|mysql] [--brokers 1|3] [--kafka VERSION]
// [--delivery atLeastOnce] [--outage SECONDS]: kills, cuts and silence between a source and readers of Kafka, while rows are
// written and tables come and go; each change is seen once, in order. So many faults for each family, a quarter of them
// with three brokers, all tables in one topic, and patience.
import type { RunOptions } from '../../scripts/run-named.ts';
import { KAFKA_VERSIONS } from '../../scripts/servers/kafka-jars.ts';
import { kafkaFaultsCampaign } from '../support/kafka-faults-campaign.ts';
import { FAMILIES } from '../support/servers.ts';

export async function run({ n, seed, args }: RunOptions): Promise<void> {
  const given = (flag: string) => (args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined);
  const faults = n ?? 40;
  const version = KAFKA_VERSIONS.find((each) => each === given('--kafka'));
  const delivery = given('--delivery') === 'atLeastOnce' ? 'atLeastOnce' : 'exactlyOnce';
  const lives = FAMILIES.filter((family) => family === (given('--family') ?? family)).flatMap((family) =>
    [
      {
        family,
        brokers: 1,
        faults: Math.ceil(faults * 0.75),
        compression: 'none' as const,
        requestTimeoutMs: 2000,
        oneTopic: false,
      },
      {
        family,
        brokers: 3,
        faults: Math.floor(faults * 0.25),
        compression: 'zstd' as const,
        requestTimeoutMs: 10_000,
        oneTopic: true,
      },
    ].filter(({ brokers }) => String(brokers) === (given('--brokers') ?? String(brokers))),
  );
  for (const [index, life] of lives.entries()) {
    if (life.faults === 0) continue;
    const result = await kafkaFaultsCampaign({
      ...life,
      version,
      delivery,
      outageSeconds: life.brokers === 1 ? Number(given('--outage') ?? 20) : 0,
      seed: seed + 100 * index,
      say: (line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`),
    });
    console.log(life.family, `${life.brokers} broker(s)`, delivery, JSON.stringify(result, null, 1));
    if (result.findings.length > 0) process.exitCode = 1;
  }
}
