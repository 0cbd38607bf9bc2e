import { isJsonObject, parseJson, stringifyJson } from '../src/lib/json.ts';
import type { JsonObject } from '../src/lib/json-value.ts';
import type { KafkaRecord } from '../scripts/servers/kafka-reader.ts';

/** One change as a record in DataWorks JSON tells it. */
export interface TopicChange {
  readonly table: string;
  readonly op: string;
  readonly key: string;
  readonly sequenceId: string;
  /** The row before, of UPDATE_BEFOR and DELETE. */
  readonly before: JsonObject | null;
  readonly after: JsonObject | null;
}

/** The row changes among the records of a topic, in the order of each partition; heartbeats and statements are left out. */
export function changesOf(records: readonly KafkaRecord[]): TopicChange[] {
  return records.flatMap(({ key, value }): TopicChange[] => {
    const record = parseJson(value?.toString() ?? 'null');
    if (!isJsonObject(record)) throw new Error('a record that is no JSON object');
    const { schema, payload } = record;
    if (!isJsonObject(schema) || !isJsonObject(payload)) throw new Error('a record without schema or payload');
    const { source } = schema;
    const { op, sequenceId, before, after } = payload;
    const image = (side: typeof before) => (isJsonObject(side) ? (side['dataColumn'] as JsonObject) : null);
    const [old, now] = [image(before), image(after)];
    if (old === null && now === null) return [];
    if (!isJsonObject(source)) throw new Error('a row without its source');
    return [
      {
        table: String(source['tableName'] as string),
        op: String(op as string),
        key: key?.toString() ?? '',
        sequenceId: String(sequenceId as string),
        before: old,
        after: now,
      },
    ];
  });
}

/** What a reader holds who keeps the last row of each key: by key, in the order of the keys' texts. */
export function foldTopic(changes: readonly TopicChange[]): Map<string, JsonObject> {
  const rows = new Map<string, JsonObject>();
  for (const { key, before, after } of changes) {
    if (before !== null) rows.delete(key);
    if (after !== null) rows.set(key, after);
  }
  return rows;
}

/**
 * How many records do not continue the one before them of their key: something between is missing, doubled or out of
 * order. A row that was loaded (INSERT, as the envelope has it) may repeat the one that its key has already.
 */
export function brokenChains(changes: readonly TopicChange[]): number {
  let broken = 0;
  /** By key: its row as text; null once it is gone. A key that is not here was not loaded yet. */
  const last = new Map<string, string | null>();
  for (const { key, op, before, after } of changes) {
    const known = last.get(key);
    if (before !== null) {
      if (known !== undefined && known !== stringifyJson(before)) broken += 1;
      last.set(key, null);
    }
    if (after !== null) {
      const row = stringifyJson(after);
      const isRepeated = op === 'INSERT' && row === known;
      if (typeof known === 'string' && before === null && !isRepeated) broken += 1;
      last.set(key, row);
    }
  }
  return broken;
}
