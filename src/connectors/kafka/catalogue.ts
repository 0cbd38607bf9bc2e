import type { CataloguePage, ReadCatalogueOptions } from '../../pipeline/catalogue.ts';
import { silentLog } from '../../lib/log.ts';
import { CHECKPOINT_TOPIC } from './checkpoint-topic.ts';
import { toKafkaError } from './errors.ts';
import { DEFAULT_OPTIONS } from './options.ts';
import { Cluster } from './protocol/cluster.ts';
import { asKafkaSettings } from './settings.ts';

/** A page of the topics. Kafka knows of no databases and no columns. */
export async function readCatalogue({ settings, offset, limit, signal }: ReadCatalogueOptions): Promise<CataloguePage> {
  const { clientId, requestTimeoutMs } = DEFAULT_OPTIONS;
  const options = { clientId, requestTimeoutMs, log: silentLog, signal };
  const cluster = await Cluster.open(asKafkaSettings(settings), options);
  try {
    const topics = (await cluster.allTopics()).filter((topic) => topic !== CHECKPOINT_TOPIC);
    return {
      schemas: [{ database: '', schema: '' }],
      tables: topics
        .slice(offset, offset + limit)
        .map((topic) => ({ database: '', schema: '', table: topic, columns: [] })),
      total: topics.length,
    };
  } catch (error) {
    throw toKafkaError(error, { doing: 'asking for topics' });
  } finally {
    cluster.close();
  }
}
