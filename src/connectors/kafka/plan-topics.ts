import { silentLog } from '../../lib/log.ts';
import type { PlanTargetsOptions, SinkPlan } from '../../pipeline/connector.ts';
import type { TargetPlan } from '../../pipeline/route.ts';
import type { TableVersion } from '../../pipeline/table.ts';
import { dataWorksType } from './encode/dataworks-values.ts';
import { propertyWarnings } from './client-properties.ts';
import { keyColumnsOf } from './key-columns.ts';
import { asKafkaSettings } from './settings.ts';
import { type KafkaOptions, parseKafkaOptions } from './options.ts';
import { Cluster, type Topic, type TopicConfigs } from './protocol/cluster.ts';
import { guaranteeOf, openProducer } from './producer-mode.ts';
import { isShared, type TopicName, topicName, topicProblem } from './topic-name.ts';

/** Opened while planning, to see what the account may do: not the id of any task, whose producer it would end. */
const PROBE_ID = 'disync-probe';

/** What the sink would make of these tables. Changes nothing but that the brokers know of a producer more. */
export async function planTopics({
  settings,
  options,
  sourceName,
  tables,
  signal,
}: PlanTargetsOptions): Promise<SinkPlan> {
  const parsed = parseKafkaOptions(options);
  const cluster = await Cluster.open(asKafkaSettings(settings), {
    clientId: parsed.clientId,
    requestTimeoutMs: parsed.requestTimeoutMs,
    log: silentLog,
    signal,
  });
  try {
    const producer = await openProducer(cluster, parsed, PROBE_ID);
    const guarantee = guaranteeOf(cluster, producer);
    producer.close();
    const names = tables.map(({ id }) => topicName(parsed.topic, id, sourceName));
    const asked = [...new Set(names.map(({ topic }) => topic))].filter((topic) => topicProblem(topic) === null);
    const found = await cluster.topics(asked);
    const configs = found.size === 0 ? new Map<string, TopicConfigs>() : await cluster.topicConfigs([...found.keys()]);
    const { transactionMaxTimeoutMs } = await cluster.brokerConfigs();
    const problems = clusterProblems(parsed, cluster, transactionMaxTimeoutMs);
    return {
      server: cluster.facts.version,
      tables: tables.map((table, index) => {
        const name = names[index] ?? { topic: '', wanted: '' };
        return planTopic(table, name, {
          options: parsed,
          found: found.get(name.topic),
          configs: configs.get(name.topic),
          brokers: cluster.facts.brokers.length,
          problems: index === 0 ? problems : [],
        });
      }),
      guarantee,
      sharesTargets: isShared(parsed.topic),
      warnings: [...guaranteeWarnings(parsed, guarantee), ...propertyWarnings(parsed.kafkaClientProperties)],
    };
  } finally {
    cluster.close();
  }
}

interface PlanTopicOptions {
  readonly options: KafkaOptions;
  readonly found: Topic | undefined;
  readonly configs: TopicConfigs | undefined;
  readonly brokers: number;
  /** Of the whole cluster: told once. */
  readonly problems: readonly string[];
}

function planTopic(table: TableVersion, { topic, wanted }: TopicName, plan: PlanTopicOptions): TargetPlan {
  const { options, found, configs, brokers } = plan;
  const key = keyColumnsOf(table, options.keyColumns);
  const indexes = key.columns ?? table.key;
  const nameProblem = topicProblem(topic);
  const cleanup = found === undefined ? options.cleanupPolicy : (configs?.cleanupPolicy ?? null);
  const isCompacted = cleanup?.includes('compact') === true;
  const partitions = found?.partitions ?? options.partitions;
  return {
    target: { schema: '', table: topic },
    columns: table.columns.map(({ name, type, sourceType, nullable }) => ({
      name,
      type: options.writeMode === 'json' ? dataWorksType(type) : sourceType,
      nullable,
    })),
    key: indexes.flatMap((index) => table.columns[index]?.name ?? []),
    createSql: found === undefined ? createText(topic, options) : '',
    exists: found !== undefined,
    rows: 0,
    warnings: [
      ...(wanted === topic ? [] : [`"${wanted}" has characters that Kafka does not take: the topic is ${topic}`]),
      ...(indexes.length > 0 || partitions === 1 || options.partitioner !== 'key'
        ? []
        : [
            'the table has no key: its records have none, and all of them go to one partition, which keeps their order',
          ]),
      ...(found !== undefined && options.partitions > 0 && found.partitions !== options.partitions
        ? [`the topic exists with ${found.partitions} partitions, not ${options.partitions}: it stays so`]
        : []),
      ...(isCompacted && options.writeMode !== 'debezium'
        ? ['the topic is compacted: of a key’s records only the last is kept, also where an update is two of them']
        : []),
      ...(found !== undefined && found.replication === 1 && brokers > 1
        ? ['the topic has one replica: a broker that is lost takes its records along']
        : []),
    ],
    problems: [
      ...plan.problems,
      ...(nameProblem === null ? [] : [`Kafka.TopicName: ${nameProblem}`]),
      ...key.missing.map((name) => `Kafka.KeyColumnMissing: there is no column ${name}, which keyColumns names`),
      ...(isCompacted && indexes.length === 0
        ? [
            `Kafka.CompactedWithoutKey: the topic ${topic} is compacted, and the table has no key: such a topic takes no record without one`,
          ]
        : []),
    ],
    lacking: [],
  };
}

function createText(topic: string, { partitions, replication, cleanupPolicy }: KafkaOptions): string {
  return [
    `kafka-topics.sh --create --topic ${topic}`,
    ...(partitions > 0 ? [`--partitions ${partitions}`] : []),
    ...(replication > 0 ? [`--replication-factor ${replication}`] : []),
    ...(cleanupPolicy === null ? [] : [`--config cleanup.policy=${cleanupPolicy}`]),
  ].join(' ');
}

function clusterProblems(options: KafkaOptions, { facts }: Cluster, timeoutMax: number | null): readonly string[] {
  const { replication, transactionTimeoutMs, delivery } = options;
  return [
    ...(replication > facts.brokers.length
      ? [`Kafka.SettingRefused: replication is ${replication}, and the cluster has ${facts.brokers.length} brokers`]
      : []),
    ...(delivery === 'exactlyOnce' && timeoutMax !== null && transactionTimeoutMs > timeoutMax
      ? [
          `Kafka.SettingRefused: transactionTimeoutMs is ${transactionTimeoutMs}, and the brokers allow ${timeoutMax} (transaction.max.timeout.ms)`,
        ]
      : []),
  ];
}

function guaranteeWarnings({ delivery }: KafkaOptions, guarantee: SinkPlan['guarantee']): readonly string[] {
  switch (guarantee) {
    case 'transactional-v1':
      return [
        'the brokers speak the older transaction protocol, which has known faults (KIP-890): in rare failures a transaction may lose records or be torn. Brokers from 4.0 on, with transaction.version 2, do not have them',
      ];
    case 'idempotent':
      return delivery === 'exactlyOnce'
        ? ['the brokers have no transactions: a restart repeats changes, which sequenceId tells']
        : ['delivery is atLeastOnce: a restart repeats changes, which sequenceId tells'];
    case 'plain':
      return ['the account may not produce idempotently: a restart, or an answer that is lost, repeats changes'];
    case 'transactional':
    case 'exact':
    case 'converges':
      return [];
  }
}
