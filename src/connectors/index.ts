import type { SinkConnector, SourceConnector } from '../pipeline/connector.ts';
import { hologresConnector } from './hologres/connector.ts';
import { kafkaConnector } from './kafka/connector.ts';
import { maxComputeConnector } from './maxcompute/connector.ts';
import { mysqlConnector } from './mysql/connector.ts';

/** Every connector there is: the one place outside its own folder that a new one touches. */
export const sources: ReadonlyMap<string, SourceConnector> = new Map([[mysqlConnector.type, mysqlConnector]]);
export const sinks: ReadonlyMap<string, SinkConnector> = new Map([
  [hologresConnector.type, hologresConnector],
  [kafkaConnector.type, kafkaConnector],
  [maxComputeConnector.type, maxComputeConnector],
]);
