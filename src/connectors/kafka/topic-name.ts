import { fillPattern } from '../../pipeline/name-pattern.ts';
import type { TableId } from '../../pipeline/table.ts';
import { CHECKPOINT_TOPIC } from './checkpoint-topic.ts';

/** What Kafka takes as the name of a topic, but for `.` and `..`. */
const NAME_LENGTH_MAX = 249;

/** What the brokers keep for themselves, and what we do. */
const RESERVED: ReadonlySet<string> = new Set([
  '__cluster_metadata',
  '__consumer_offsets',
  '__share_group_state',
  '__transaction_state',
  CHECKPOINT_TOPIC,
]);

const NAMES_TABLE = /\$\{(?:srcTableName|table)\}/;

export interface TopicName {
  readonly topic: string;
  /** As the pattern has it, with characters that Kafka does not take. */
  readonly wanted: string;
}

/** The topic of a table: the pattern filled, and `_` for each character that Kafka does not take. */
export function topicName(pattern: string, table: TableId, sourceName: string): TopicName {
  return topicNamed(fillPattern(pattern, { table, sourceName }));
}

export function topicNamed(wanted: string): TopicName {
  return { topic: wanted.replaceAll(/[^a-zA-Z0-9._-]/gu, '_'), wanted };
}

/** Several tables go to one topic because the pattern wants it so. */
export function isShared(pattern: string): boolean {
  return !NAMES_TABLE.test(pattern);
}

/** Why Kafka takes no such name; null when it does. */
export function topicProblem(topic: string): string | null {
  if (topic === '' || topic === '.' || topic === '..') return `"${topic}" is no name of a topic`;
  if (topic.length > NAME_LENGTH_MAX)
    return `the topic’s name ${topic.slice(0, 40)}… has ${topic.length} characters; Kafka takes ${NAME_LENGTH_MAX}`;
  if (RESERVED.has(topic))
    return `the topic ${topic} is kept by ${topic === CHECKPOINT_TOPIC ? 'us' : 'the brokers'} for other things`;
  return null;
}
