import type { KafkaOptions } from '../options.ts';
import { CanalJson } from './canal-json.ts';
import { DataWorksJson } from './dataworks-json.ts';
import { DebeziumJson } from './debezium-json.ts';
import type { Envelope, EnvelopeOptions } from './envelope.ts';

/** The envelope that the option `writeMode` asks for. */
export function openEnvelope(
  { writeMode, debeziumSchema, partitioner, timeZone }: KafkaOptions,
  rest: Pick<EnvelopeOptions, 'sourceName' | 'clock' | 'onDirty' | 'version'>,
): Envelope {
  const options = { partitioner, timeZone, ...rest };
  switch (writeMode) {
    case 'json':
      return new DataWorksJson(options);
    case 'canal':
      return new CanalJson(options);
    case 'debezium':
      return new DebeziumJson(options, { withSchema: debeziumSchema });
  }
}
