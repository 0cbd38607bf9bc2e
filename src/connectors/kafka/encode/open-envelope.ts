import { CanalJson } from './canal-json.ts';
import { DataWorksJson } from './dataworks-json.ts';
import { DebeziumJson } from './debezium-json.ts';
import type { Envelope, EnvelopeOptions } from './envelope.ts';

export interface EnvelopeChoice {
  readonly writeMode: 'json' | 'canal' | 'debezium';
  /** With `debezium`: each record carries its schema. */
  readonly debeziumSchema: boolean;
}

/** The envelope that a task's options ask for. */
export function openEnvelope({ writeMode, debeziumSchema }: EnvelopeChoice, options: EnvelopeOptions): Envelope {
  switch (writeMode) {
    case 'json':
      return new DataWorksJson(options);
    case 'canal':
      return new CanalJson(options);
    case 'debezium':
      return new DebeziumJson(options, { withSchema: debeziumSchema });
  }
}
