import { canonicalJson, isJsonObject } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import type { SinkConnector, SourceConnector } from '../pipeline/connector.ts';
import type { TaskDefinition } from './task-definition.ts';

type Options = Pick<TaskDefinition, 'reader' | 'writer'>;

interface Connectors {
  readonly reader: Pick<SourceConnector, 'parseOptions'>;
  readonly writer: Pick<SinkConnector, 'parseOptions'>;
}

/** What a plan says of options that are other than before: a run takes its tables anew while it runs, its options do not change. */
export function optionChanges(before: Options, after: Options, { reader, writer }: Connectors): string[] {
  const names = {
    reader: changedNames(reader.parseOptions(before.reader), reader.parseOptions(after.reader)),
    writer: changedNames(writer.parseOptions(before.writer), writer.parseOptions(after.writer)),
  };
  return (['reader', 'writer'] as const)
    .filter((step) => names[step].length > 0)
    .map(
      (step) =>
        `options of the ${step} change (${names[step].join(', ')}): a run has them from its next start on, so stop and start it after the deploy; tables that stay keep their targets`,
    );
}

function changedNames(before: Json, after: Json): string[] {
  if (!isJsonObject(before) || !isJsonObject(after)) return [];
  const textOf = (value: Json | undefined) => (value === undefined ? '' : canonicalJson(value));
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => textOf(before[name]) !== textOf(after[name]));
}
