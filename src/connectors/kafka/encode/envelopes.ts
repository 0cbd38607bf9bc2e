import type { KafkaOptions } from '../options.ts';
import { DataWorksJson } from './dataworks-json.ts';
import type { Envelope, EnvelopeOptions } from './envelope.ts';

/** The envelope that the option `writeMode` asks for. */
export function openEnvelope(
  { partitioner, timeZone }: KafkaOptions,
  rest: Pick<EnvelopeOptions, 'sourceName' | 'clock' | 'onDirty' | 'version'>,
): Envelope {
  return new DataWorksJson({ partitioner, timeZone, ...rest });
}
