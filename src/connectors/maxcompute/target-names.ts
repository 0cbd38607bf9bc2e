import { fillPattern } from '../../pipeline/name-pattern.ts';
import type { TargetId } from '../../pipeline/route.ts';
import type { TableId } from '../../pipeline/table.ts';
import { targetKey } from './names.ts';
import type { MaxComputeOptions } from './options.ts';

/** Where a source table goes. */
export function targetOf(of: TableId, sourceName: string, options: MaxComputeOptions): TargetId {
  const at = { table: of, sourceName };
  const { schema, table, tableType } = options;
  const flat = schema === null ? '${srcDatabaseName}_${srcTableName}' : '${srcTableName}';
  return {
    schema: schema === null ? '' : fillPattern(schema, at),
    table: fillPattern(table ?? (tableType === 'log' ? `${flat}_log` : flat), at),
  };
}

/** Targets that more than one source table would go to, by targetKey. */
export function sharedTargets(targets: readonly TargetId[]): ReadonlySet<string> {
  const seen = new Set<string>();
  return new Set(targets.map(targetKey).filter((key) => seen.size === seen.add(key).size));
}
