import type { Json } from '../../lib/json-value.ts';
import { SettingsError } from '../../pipeline/connector.ts';

/** An option of ours that a Java client's property stands for. */
type Known = (value: string, name: string) => Readonly<Record<string, Json>>;

/** What the Java client's properties mean here. */
const KNOWN: Readonly<Record<string, Known>> = {
  acks: (value, name) => {
    if (value !== 'all' && value !== '-1') throw refused(name, 'must be all: what is not replicated can be lost');
    return {};
  },
  'enable.idempotence': (value, name) => {
    if (value !== 'true') throw refused(name, 'must be true: what is sent again would be written twice');
    return {};
  },
  'compression.type': (value) => ({ compression: value }),
  'max.in.flight.requests.per.connection': (value, name) => ({ inFlightMax: wholeNumber(value, name) }),
  'max.request.size': (value, name) => ({ requestBytesMax: wholeNumber(value, name) }),
  'request.timeout.ms': (value, name) => ({ requestTimeoutMs: wholeNumber(value, name) }),
  'transaction.timeout.ms': (value, name) => ({ transactionTimeoutMs: wholeNumber(value, name) }),
  'linger.ms': (value, name) => ({ commitIntervalMs: Math.max(1, wholeNumber(value, name)) }),
  'client.id': (value) => ({ clientId: value }),
};

/** Harmless, and without a meaning here: memory, waiting and sending again have rules of their own. */
const IGNORED = new Set([
  'batch.size',
  'buffer.memory',
  'connections.max.idle.ms',
  'delivery.timeout.ms',
  'key.serializer',
  'max.block.ms',
  'metadata.max.age.ms',
  'partitioner.class',
  'receive.buffer.bytes',
  'reconnect.backoff.max.ms',
  'reconnect.backoff.ms',
  'retries',
  'retry.backoff.max.ms',
  'retry.backoff.ms',
  'send.buffer.bytes',
  'value.serializer',
]);

/** Reads `{ name: value }`, or a list of `{ key, value }`. Errors: SettingsError. */
export function readClientProperties(given: Json): Readonly<Record<string, string>> {
  if (given === null) return {};
  const pairs = Array.isArray(given) ? given.map(pairOf) : typeof given === 'object' ? Object.entries(given) : null;
  if (pairs === null) throw refused('', 'must be an object, or a list of { key, value }');
  const properties = Object.fromEntries(pairs.map(([name, value]) => [name, textOf(name, value)]));
  for (const name of Object.keys(properties)) {
    if (name in KNOWN || IGNORED.has(name)) continue;
    throw refused(
      name,
      /^(sasl|ssl|security|bootstrap)\./.test(name) ? 'belongs into the data source' : 'is not served',
    );
  }
  return properties;
}

/** The options that properties stand for. Errors: SettingsError naming the property. */
export function optionsOf(properties: Readonly<Record<string, string>>): Readonly<Record<string, Json>> {
  return Object.assign({}, ...Object.entries(properties).map(([name, value]) => KNOWN[name]?.(value, name) ?? {}));
}

/** One sentence for each property that is accepted and does nothing. */
export function propertyWarnings(properties: Readonly<Record<string, string>>): string[] {
  return Object.keys(properties)
    .filter((name) => IGNORED.has(name))
    .map((name) => `kafkaClientProperties: ${name} has no effect here`);
}

function pairOf(item: Json): [string, Json] {
  const { key, value } = (item ?? {}) as { readonly key?: Json; readonly value?: Json };
  if (typeof key !== 'string' || value === undefined) throw refused('', 'must be a list of { key, value }');
  return [key, value];
}

function textOf(name: string, value: Json): string {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw refused(name, 'must be a text, a number, true or false');
}

function wholeNumber(text: string, name: string): number {
  if (!/^\d{1,15}$/.test(text)) throw refused(name, 'must be a whole number');
  return Number(text);
}

function refused(name: string, why: string): SettingsError {
  const parameter = name === '' ? 'kafkaClientProperties' : `kafkaClientProperties.${name}`;
  return new SettingsError(parameter, `${parameter} ${why}`);
}
