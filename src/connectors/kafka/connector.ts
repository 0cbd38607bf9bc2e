import { silentLog } from '../../lib/log.ts';
import type { SinkConnector } from '../../pipeline/connector.ts';
import { readCatalogue } from './catalogue.ts';
import { PROBE_STAGES, probe } from './probe.ts';
import { CHECKPOINT_TOPIC, plainRecord, tombstones } from './checkpoint-topic.ts';
import { CommitRecords } from './encode/commit-records.ts';
import { DEFAULT_OPTIONS, parseKafkaOptions } from './options.ts';
import { planTopics } from './plan-topics.ts';
import { openProducer, transactionalId } from './producer-mode.ts';
import { Cluster } from './protocol/cluster.ts';
import { asKafkaSettings, parseKafkaSettings } from './settings.ts';
import { KafkaSink } from './sink.ts';

/** Kafka, and what speaks its protocol. */
export const kafkaConnector: SinkConnector = {
  type: 'kafka',
  parseSettings: parseKafkaSettings,
  readCatalogue,
  probeStages: PROBE_STAGES,
  probe,
  parseOptions: parseKafkaOptions,
  takesTablesWithoutKey(options) {
    const { writeTablesWithoutKey, keyColumns } = parseKafkaOptions(options);
    return writeTablesWithoutKey || keyColumns.length > 0;
  },
  planTargets: planTopics,
  open: (options) => new KafkaSink(options),
  async forget({ settings, installation, task }) {
    const ending = new AbortController();
    const { clientId, requestTimeoutMs } = DEFAULT_OPTIONS;
    const cluster = await Cluster.open(asKafkaSettings(settings), {
      clientId,
      requestTimeoutMs,
      log: silentLog,
      signal: ending.signal,
    });
    try {
      if (!(await cluster.topics([CHECKPOINT_TOPIC])).has(CHECKPOINT_TOPIC)) return;
      const producer = await openProducer(cluster, DEFAULT_OPTIONS, transactionalId({ installation, task }));
      const records = new CommitRecords(0);
      const now = Date.now();
      for (const record of await tombstones(cluster, { installation, task })) records.add(plainRecord(record, now));
      await producer.send(records.finish());
      await producer.endTransaction('commit');
      producer.close();
    } finally {
      cluster.close();
      ending.abort();
    }
  },
};
