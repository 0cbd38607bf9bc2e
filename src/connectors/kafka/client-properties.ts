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

/** What is wrong, by the name of the parameter. */
type Wrong = Map<string, string>;

/** Reads `{ name: value }`, or a list of `{ key, value }`. What is wrong goes into `wrong`, and is left out. */
export function readClientProperties(given: Json, wrong: Wrong): Readonly<Record<string, string>> {
  if (given === null) return {};
  const pairs = Array.isArray(given) ? given.map(pairOf) : typeof given === 'object' ? Object.entries(given) : [null];
  return Object.fromEntries(
    pairs.flatMap((pair) => {
      if (pair === null) return tell(wrong, refused('', 'must be an object, or a list of { key, value }'));
      const [name, value] = pair;
      const text = textOf(value);
      if (text === null) return tell(wrong, refused(name, 'must be a text, a number, true or false'));
      if (Object.hasOwn(KNOWN, name) || IGNORED.has(name)) return [[name, text]];
      const isOfTheWay = /^(sasl|ssl|security|bootstrap)\./.test(name);
      return tell(wrong, refused(name, isOfTheWay ? 'belongs into the data source' : 'is not served'));
    }),
  );
}

/** The options that properties stand for. What is wrong goes into `wrong`. */
export function optionsOf(properties: Readonly<Record<string, string>>, wrong: Wrong): Readonly<Record<string, Json>> {
  const options: Record<string, Json> = {};
  for (const [name, value] of Object.entries(properties)) {
    try {
      Object.assign(options, KNOWN[name]?.(value, name));
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      tell(wrong, error);
    }
  }
  return options;
}

function tell(wrong: Wrong, { parameter, message }: SettingsError): [] {
  wrong.set(parameter, message);
  return [];
}

/** One sentence for each property that is accepted and does nothing. */
export function propertyWarnings(properties: Readonly<Record<string, string>>): string[] {
  return Object.keys(properties)
    .filter((name) => IGNORED.has(name))
    .map((name) => `kafkaClientProperties: ${name} has no effect here`);
}

function pairOf(item: Json): [string, Json] | null {
  const { key, value } = (item ?? {}) as { readonly key?: Json; readonly value?: Json };
  return typeof key !== 'string' || value === undefined ? null : [key, value];
}

function textOf(value: Json): string | null {
  if (typeof value === 'string') return value.trim();
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

function wholeNumber(text: string, name: string): number {
  if (!/^\d{1,15}$/.test(text)) throw refused(name, 'must be a whole number');
  return Number(text);
}

function refused(name: string, why: string): SettingsError {
  const parameter = name === '' ? 'kafkaClientProperties' : `kafkaClientProperties.${name}`;
  return new SettingsError(parameter, `${parameter} ${why}`);
}
