import { randomBytes } from 'node:crypto';
import { installKafka } from '../../scripts/servers/kafka.ts';
import { javaCommand, SMALL_JVM } from '../../scripts/servers/kafka-java.ts';
import type { KafkaRecord, ReadOptions } from '../../scripts/servers/kafka-reader.ts';
import { bootstrap } from './kafka-tools.ts';
import type { TestKafka } from './kafka-under-test.ts';
import { runProgram } from '../../scripts/servers/run-program.ts';

/** Nothing more has come for so long: the end. One who says how many records there are waits longer, as a busy machine may. */
const IDLE_MS = 1500;
const IDLE_OF_MAX_MS = 20_000;

/**
 * Reads a topic by Kafka's own console consumer, as `readTopic` does by kcat; takes a few seconds. A header's name must
 * hold no colon. Errors: Error with what the tool said.
 */
export async function readTopicByJava(kafka: TestKafka, options: ReadOptions): Promise<KafkaRecord[]> {
  const { topic, isolation = 'read_committed', partition, from, max } = options;
  // Separators that no record holds: what is between them is taken as it is.
  const token = randomBytes(12).toString('hex');
  const [field, line, header, none] = ['field', 'line', 'header', 'null'].map((name) => `<${name}-${token}>`);
  const formatter = {
    'print.timestamp': 'true',
    'print.partition': 'true',
    'print.offset': 'true',
    'print.headers': 'true',
    'print.key': 'true',
    'key.separator': field,
    'line.separator': line,
    'headers.separator': header,
    'null.literal': none,
  };
  const [java, ...before] = javaCommand(
    await installKafka(),
    SMALL_JVM,
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
  );
  const written = await runProgram(java, [
    ...before,
    ...bootstrap(kafka),
    '--topic',
    topic,
    '--isolation-level',
    isolation,
    '--timeout-ms',
    String(max === undefined ? IDLE_MS : IDLE_OF_MAX_MS),
    ...(partition === undefined ? ['--from-beginning'] : ['--partition', String(partition)]),
    ...(partition === undefined ? [] : ['--offset', from === undefined ? 'earliest' : String(from)]),
    ...(max === undefined ? [] : ['--max-messages', String(max)]),
    ...Object.entries(formatter).flatMap(([name, value]) => ['--formatter-property', `${name}=${value}`]),
  ]);
  // One byte is one character, so that the text can be cut and made bytes again.
  const lines = written.toString('latin1').split(String(line)).slice(0, -1);
  return lines.map((text) => parse(text.split(String(field)), String(header), String(none)));
}

/** `CreateTime:N`, `Partition:N`, `Offset:N`, headers as `name:value` or `NO_HEADERS`, key, value. */
function parse(fields: readonly string[], separator: string, none: string): KafkaRecord {
  const [time = '', partition = '', offset = '', headers = '', key = '', value = ''] = fields;
  if (fields.length !== 6) throw new Error(`the console consumer wrote ${fields.length} fields, not 6`);
  const bytes = (text: string): Buffer | null => (text === none ? null : Buffer.from(text, 'latin1'));
  const pair = (text: string): [string, string] => {
    const colon = text.indexOf(':');
    const decode = (part: string): string => Buffer.from(part, 'latin1').toString('utf8');
    return [decode(text.slice(0, colon)), decode(text.slice(colon + 1))];
  };
  return {
    partition: numberAfterColon(partition),
    offset: numberAfterColon(offset),
    timestamp: numberAfterColon(time),
    key: bytes(key),
    value: bytes(value),
    headers: headers === 'NO_HEADERS' ? [] : headers.split(separator).map(pair),
  };
}

function numberAfterColon(text: string): number {
  return Number(text.slice(text.indexOf(':') + 1));
}
