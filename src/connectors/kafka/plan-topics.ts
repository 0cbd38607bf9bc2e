import { silentLog } from '../../lib/log.ts';
import { isJsonObject } from '../../lib/json.ts';
import type { Json } from '../../lib/json-value.ts';
import type { Guarantee, PlanTargetsOptions, SinkPlan } from '../../pipeline/connector.ts';
import type { Problem } from '../../pipeline/problem.ts';
import type { TargetPlan } from '../../pipeline/route.ts';
import type { TableVersion } from '../../pipeline/table.ts';
import { CHECKPOINT_TOPIC, CheckpointTopic } from './checkpoint-topic.ts';
import { dataWorksType } from './encode/dataworks-values.ts';
import { propertyWarnings } from './client-properties.ts';
import { keyColumnsOf } from './key-columns.ts';
import { asKafkaSettings } from './settings.ts';
import { KafkaError } from './errors.ts';
import { DEFAULT_OPTIONS, type KafkaOptions, parseKafkaOptions } from './options.ts';
import { Cluster, type Topic, type TopicConfigs } from './protocol/cluster.ts';
import { guaranteeOf, openProducer } from './producer-mode.ts';
import { newTopics } from './topics.ts';
import { isShared, type TopicName, topicName, topicNamed, topicProblem } from './topic-name.ts';

/** Opened while planning, to see what the account may do: not the id of any task, whose producer it would end. */
const PROBE_ID = 'disync-probe';

/** What the sink would make of these tables. Changes nothing but that the brokers know of a producer more. */
export async function planTopics({
  settings,
  options,
  sourceName,
  tables,
  named = [],
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
    const names = tables.map(({ id }, index) => {
      const topic = named[index]?.table;
      return topic === undefined ? topicName(parsed.topic, id, sourceName) : topicNamed(topic);
    });
    const asked = [...new Set(names.map(({ topic }) => topic))].filter((topic) => topicProblem(topic) === null);
    const { transactionMaxTimeoutMs } = await cluster.brokerConfigs();
    const problems = clusterProblems(parsed, cluster, transactionMaxTimeoutMs);
    // What the whole cluster cannot do is told once, and not of each topic and producer again.
    const isUsable = problems.length === 0;
    const { found, refused } = await lookAtTopics(cluster, asked, isUsable ? parsed : null);
    const configs = found.size === 0 ? new Map<string, TopicConfigs>() : await cluster.topicConfigs([...found.keys()]);
    const guarantee = isUsable ? await tryGuarantee(cluster, parsed, problems) : 'plain';
    const checkpoint = refused.get(CHECKPOINT_TOPIC);
    if (checkpoint !== undefined) problems.push(problemOf(checkpoint));
    if (parsed.delivery === 'exactlyOnce') problems.push(...checkpointProblems(configs.get(CHECKPOINT_TOPIC)));
    return {
      server: cluster.facts.version,
      tables: tables.map((table, index) => {
        const name = names[index] ?? { topic: '', wanted: '' };
        return planTopic(table, name, {
          options: parsed,
          found: found.get(name.topic),
          configs: configs.get(name.topic),
          brokers: cluster.facts.brokers.length,
          refusal: refused.get(name.topic) ?? null,
        });
      }),
      guarantee,
      sharesTargets: isShared(parsed.topic),
      problems,
      warnings: [
        ...(problems.length === 0 ? guaranteeWarnings(parsed, guarantee) : []),
        ...propertyWarnings(parsed.kafkaClientProperties),
        ...unknownWarnings(options),
        ...alikeWarnings(asked),
      ],
    };
  } finally {
    cluster.close();
  }
}

/** Which topics there are, and which cannot be seen or, with `options`, could not be made; that of the checkpoint is one of them. */
async function lookAtTopics(
  cluster: Cluster,
  names: readonly string[],
  options: KafkaOptions | null,
): Promise<{ readonly found: ReadonlyMap<string, Topic>; readonly refused: ReadonlyMap<string, KafkaError> }> {
  const { found, refused } = await cluster.describeTopics([...names, CHECKPOINT_TOPIC]);
  if (options === null) return { found, refused };
  const isMissing = (name: string) => !found.has(name) && !refused.has(name);
  const wanted = [...newTopics(names, options), CheckpointTopic.wanted(cluster)].filter(({ name }) => isMissing(name));
  return { found, refused: new Map([...refused, ...(await cluster.refusedTopics(wanted))]) };
}

/** Opens a producer as the task will, and what readers may count on then; a refusal goes into `problems`. */
async function tryGuarantee(cluster: Cluster, options: KafkaOptions, problems: Problem[]): Promise<Guarantee> {
  try {
    const producer = await openProducer(cluster, options, PROBE_ID);
    const guarantee = guaranteeOf(cluster, producer);
    producer.close();
    return guarantee;
  } catch (error) {
    if (!(error instanceof KafkaError && error.kind === 'fatal')) throw error;
    problems.push(problemOf(error));
    return 'plain';
  }
}

/** Of a topic that somebody else made. */
function checkpointProblems(configs: TopicConfigs | undefined): readonly Problem[] {
  const policy = configs?.cleanupPolicy ?? null;
  if (policy === null || policy === 'compact') return [];
  return [
    {
      code: 'Kafka.SettingRefused',
      message: `the topic ${CHECKPOINT_TOPIC} has the cleanup.policy ${policy}: checkpoints in it would be deleted`,
      remedy: 'Set its cleanup.policy to compact.',
    },
  ];
}

function problemOf({ code, message, hint }: KafkaError): Problem {
  return { code, message, remedy: hint ?? '' };
}

interface PlanTopicOptions {
  readonly options: KafkaOptions;
  readonly found: Topic | undefined;
  readonly configs: TopicConfigs | undefined;
  readonly brokers: number;
  /** Why it cannot be seen, or made. */
  readonly refusal: KafkaError | null;
}

function planTopic(table: TableVersion, { topic, wanted }: TopicName, plan: PlanTopicOptions): TargetPlan {
  const { options, found, configs, brokers, refusal } = plan;
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
    ifForeign:
      found === undefined
        ? null
        : `the topic ${topic} exists, and this task did not fill it: what is in it stays, and comes before what is written`,
    problems: [
      ...(refusal === null ? [] : [problemOf(refusal)]),
      ...(nameProblem === null
        ? []
        : [{ code: 'Kafka.TopicName', message: nameProblem, remedy: 'Give the option topic another pattern.' }]),
      ...(found !== undefined && (configs?.minInsyncReplicas ?? 0) > found.replication
        ? [
            {
              code: 'Kafka.SettingRefused',
              message: `the topic ${topic} has ${found.replication === 1 ? 'one replica' : `${found.replication} replicas`}, and its min.insync.replicas is ${configs?.minInsyncReplicas}: brokers take nothing for it`,
              remedy: 'Give the topic more replicas, or lower its min.insync.replicas.',
            },
          ]
        : []),
      ...key.missing.map((name) => ({
        code: 'Kafka.KeyColumnMissing',
        message: `there is no column ${name}, which keyColumns names`,
        remedy: 'Correct keyColumns, or put the table into a task of its own.',
      })),
      ...(isCompacted && indexes.length === 0
        ? [
            {
              code: 'Kafka.CompactedWithoutKey',
              message: `the topic ${topic} is compacted, and the table has no key: such a topic takes no record without one`,
              remedy: 'Give keyColumns, or another cleanupPolicy.',
            },
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

function clusterProblems(options: KafkaOptions, { facts }: Cluster, timeoutMax: number | null): Problem[] {
  const { replication, transactionTimeoutMs, delivery } = options;
  const problems: Problem[] = [];
  const refuse = (message: string, remedy: string) => problems.push({ code: 'Kafka.SettingRefused', message, remedy });
  const brokers = facts.brokers.length;
  if (replication > brokers)
    refuse(
      `replication is ${replication}, and the cluster has ${brokers === 1 ? 'one broker' : `${brokers} brokers`}`,
      `Give replication up to ${brokers}, or -1 for what the brokers are set to.`,
    );
  if (delivery === 'exactlyOnce' && timeoutMax !== null && transactionTimeoutMs > timeoutMax)
    refuse(
      `transactionTimeoutMs is ${transactionTimeoutMs}, and the brokers allow ${timeoutMax}`,
      'Lower transactionTimeoutMs, or raise the brokers’ transaction.max.timeout.ms.',
    );
  return problems;
}

/** Parameters that scripts of other writers have, or that are misspelt. */
function unknownWarnings(parameter: Json): string[] {
  if (!isJsonObject(parameter)) return [];
  return Object.keys(parameter)
    .filter((name) => !Object.hasOwn(DEFAULT_OPTIONS, name))
    .map((name) => `the writer’s parameter ${name} has no meaning here`);
}

/** Brokers may refuse the second of them, and their metrics do not tell them apart. */
function alikeWarnings(topics: readonly string[]): string[] {
  const groups = Map.groupBy(topics, (topic) => topic.replaceAll('.', '_')).values();
  return [...groups]
    .filter((alike) => alike.length > 1)
    .map((alike) => `the topics ${alike.join(' and ')} differ in . and _ alone, which brokers may refuse`);
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
