import type { Json } from '../../lib/json-value.ts';
import { TimeZone } from '../../lib/time-zone.ts';
import { type LogMerges, SettingsError } from '../../pipeline/connector.ts';
import { planMerge } from './merge-table.ts';
import { parseMaxComputeOptions } from './options.ts';
import { PartitionRule } from './partition.ts';
import { openRest, tunnelTarget } from './service.ts';
import { asMaxComputeSettings } from './settings.ts';

/** Errors: SettingsError unless the options write logs. */
export function openMerges({ settings, options }: { settings: Json; options: Json }): LogMerges {
  const parsed = asMaxComputeSettings(settings);
  const { tableType, partition, timeZone, retryFirstMs } = parseMaxComputeOptions(options);
  if (tableType !== 'log')
    throw new SettingsError('tableType', `tableType: tables are of type ${tableType}; only logs are merged`);
  const client = openRest(parsed, retryFirstMs);
  const zone = new TimeZone(timeZone);
  const partitions = PartitionRule.parse(partition);
  return {
    zone,
    plan: ({ target, key, untilMs }, signal) =>
      planMerge(client, { log: tunnelTarget(parsed, target), key, partitions, zone, untilMs }, signal),
    close: () => client.close(),
  };
}
