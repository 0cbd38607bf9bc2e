import type { CheckpointOwner } from '../../pipeline/checkpoint.ts';
import type { Guarantee } from '../../pipeline/connector.ts';
import { KafkaError } from './errors.ts';
import type { KafkaOptions } from './options.ts';
import type { Cluster } from './protocol/cluster.ts';
import { Producer } from './protocol/producer.ts';

/** The same for every incarnation, so that a new one fences what is left of the old. */
export function transactionalId({ installation, task }: Pick<CheckpointOwner, 'installation' | 'task'>): string {
  return `disync-${installation}-${task}`;
}

/**
 * Opens the best producer that the option `delivery` asks for. What `exactlyOnce` needs is never silently left out: an account
 * that may not is refused. `atLeastOnce` makes do with a plain producer where even idempotence is not allowed.
 * Errors: KafkaError.
 */
export async function openProducer(cluster: Cluster, options: KafkaOptions, id: string): Promise<Producer> {
  const { delivery, transactionTimeoutMs, requestBytesMax, inFlightMax } = options;
  const rest = { transactionTimeoutMs, requestBytesMax, inFlightMax };
  if (delivery === 'exactlyOnce' && cluster.facts.hasTransactions)
    return Producer.open(cluster, { mode: 'transactional', transactionalId: id, ...rest });
  const plain = { transactionalId: null, ...rest };
  if (!cluster.facts.hasIdempotence) return Producer.open(cluster, { mode: 'plain', ...plain });
  try {
    return await Producer.open(cluster, { mode: 'idempotent', ...plain });
  } catch (error) {
    if (!(error instanceof KafkaError && error.refusal === 'denied')) throw error;
    return Producer.open(cluster, { mode: 'plain', ...plain });
  }
}

/** What readers may count on. */
export function guaranteeOf(cluster: Cluster, { mode }: Producer): Guarantee {
  if (mode !== 'transactional') return mode;
  return cluster.facts.transactionVersion === 2 ? 'transactional' : 'transactional-v1';
}
