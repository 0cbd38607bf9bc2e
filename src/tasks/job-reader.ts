import { canonicalJson, isJsonObject, JsonError, parseJsonObject } from '../lib/json.ts';
import type { JsonObject } from '../lib/json-value.ts';
import { type JobSettings, type JobSpec, type MigrationType, RENAMED, routeTo, SINK_TYPES } from './job-spec.ts';
import { type JobRules, readRules } from './job-rules.ts';
import { invalid } from './script-reader.ts';
import type { InitialLoad, RouteName, WantedTask } from './task-definition.ts';
import { TaskError } from './task-error.ts';
import { readSelections, type TableSelection } from './table-selection.ts';

/** What a job asks for, before its tables were looked up. */
export interface WantedJob {
  readonly task: Omit<WantedTask, 'tables'>;
  readonly selections: readonly TableSelection[];
}

const LOADS: Readonly<Partial<Record<MigrationType, InitialLoad>>> = {
  FullAndRealtimeIncremental: 'all',
  RealtimeIncremental: 'none',
  Full: 'only',
};
/** What a job asks of its tables that is nothing but what is done anyway. */
const HOLO_CHANNEL: Readonly<Record<string, string>> = {
  writeMode: 'replay',
  conflictMode: 'replace',
  dynamicColumnAction: 'replay',
};
const NO_RULES: JobRules = { reader: {}, writer: {}, names: [] };
const SETTINGS = 'JobSettings';
/** Runtime settings that say how many failovers are allowed in how many minutes. */
const FAILOVER = {
  count: 'runtime.realtime.failover.times.dataxcdc',
  interval: 'runtime.realtime.failover.minute.dataxcdc',
} as const;

/**
 * Reads a job. What would change rows and is not served is refused, never left out.
 * Errors: TaskError `invalid` or `not-built` with everything that is wrong, each with its place.
 */
export function readJob(name: string, spec: JobSpec): WantedJob {
  const wrong: string[] = [];
  const missing: string[] = [];
  const initialLoad = LOADS[spec.MigrationType] ?? null;
  if (initialLoad === null)
    missing.push(
      `MigrationType ${spec.MigrationType} is not there yet: increments are followed in the log, and not read by condition; ${Object.keys(LOADS).join(', ')} are`,
    );
  if (spec.SourceDataSourceType !== 'MySQL')
    missing.push(`SourceDataSourceType ${spec.SourceDataSourceType} is not there yet; MySQL is`);
  const route = routeTo(spec.DestinationDataSourceType);
  if (route === null)
    missing.push(
      `DestinationDataSourceType ${spec.DestinationDataSourceType} is not there yet; ${Object.values(SINK_TYPES).join(' and ')} are`,
    );
  const selections = readSelections(spec.TableMappings, wrong);
  readSettings(spec.JobSettings, wrong, missing);
  const channels = readChannels(spec.JobSettings?.ChannelSettings ?? null, route, wrong, missing);
  const findings = { wrong, missing, readJson: (text: string, place: string) => readJson(text, place, wrong) };
  const rules = route === null ? NO_RULES : readRules(spec, route, findings);
  checkTwice(channels, rules, wrong);
  if (missing.length > 0) throw new TaskError('not-built', 'Task.NotBuilt', describeProblems([...missing, ...wrong]));
  if (wrong.length > 0 || initialLoad === null || route === null) throw invalid(describeProblems(wrong));
  return {
    task: {
      name,
      resourceGroup: spec.ResourceSettings?.RealtimeResourceSettings?.ResourceGroupIdentifier ?? '',
      route,
      sourceName: spec.SourceDataSourceSettings[0]?.DataSourceName ?? '',
      sinkName: spec.DestinationDataSourceSettings[0]?.DataSourceName ?? '',
      form: 'selectedTables',
      initialLoad,
      reader: { ...channels.source, ...rules.reader },
      writer: { ...channels.destination, ...rules.writer },
      targets: {},
    },
    selections: selections.map((selection, index) => ({ ...selection, names: rules.names[index] ?? null })),
  };
}

/** A job of thousands of rules may be wrong in each of them. */
const PROBLEMS_TOLD = 100;

export function describeProblems(problems: readonly string[]): string {
  const different = [...new Set(problems)];
  const more = different.length - PROBLEMS_TOLD;
  return [...different.slice(0, PROBLEMS_TOLD), ...(more > 0 ? [`and ${more} more`] : [])].join(' | ');
}

/** What a rule says is not said by an option too. */
function checkTwice({ source, destination }: Channels, rules: JobRules, wrong: string[]): void {
  const place = `${SETTINGS}.ChannelSettings`;
  for (const [name, options, given] of [
    ['sourceChannelSettings', source, rules.reader],
    ['destinationChannelSettings', destination, rules.writer],
  ] as const)
    for (const option of Object.keys(given))
      if (options[option] !== undefined) wrong.push(`${place}.${name}.${option}: a rule that is used says it too`);
}

function readSettings(settings: JobSettings | null, wrong: string[], missing: string[]): void {
  if (settings === null) return;
  if ((settings.ColumnDataTypeSettings ?? []).length > 0)
    missing.push(`${SETTINGS}.ColumnDataTypeSettings: types of target columns cannot be chosen yet`);
  if (settings.ImportRuleSettings !== null)
    missing.push(`${SETTINGS}.ImportRuleSettings: taking over an existing task is not there yet`);
  for (const { Name, Value } of settings.RuntimeSettings ?? []) {
    if (Name === 'dst.offline.truncate' && Value?.toLowerCase() === 'true')
      missing.push(
        `${SETTINGS}.RuntimeSettings: dst.offline.truncate is not there yet; a target with rows of others is kept and written over by key`,
      );
    if (Object.values<string>(FAILOVER).includes(Name) && !/^\d{1,9}$/.test(Value ?? ''))
      wrong.push(`${SETTINGS}.RuntimeSettings: ${Name} must be a whole number`);
  }
  const policies = Map.groupBy(settings.DdlHandlingSettings ?? [], ({ Type }) => Type);
  for (const [type, given] of policies) {
    if (new Set(given.map(({ Action }) => Action)).size > 1)
      wrong.push(`${SETTINGS}.DdlHandlingSettings: ${type} is given twice, with different actions`);
  }
}

interface Channels {
  readonly source: JsonObject;
  readonly destination: JsonObject;
}

/** The options of the reader and the writer. */
function readChannels(text: string | null, route: RouteName | null, wrong: string[], missing: string[]): Channels {
  const place = `${SETTINGS}.ChannelSettings`;
  const channels = text === null ? {} : readJson(text, place, wrong);
  const of = (name: string): JsonObject => {
    const value = channels[name];
    if (value === undefined || value === null) return {};
    if (typeof value === 'string') return readJson(value, `${place}.${name}`, wrong);
    if (isJsonObject(value)) return value;
    wrong.push(`${place}.${name} must be an object`);
    return {};
  };
  const names = { sourceChannelSettings: 1, destinationChannelSettings: 1 };
  const unknown = Object.keys(channels).find((name) => !Object.hasOwn(names, name));
  if (unknown !== undefined)
    missing.push(`${place}.${unknown} is not there yet; ${Object.keys(names).join(' and ')} are`);
  const destination = of('destinationChannelSettings');
  for (const option of route === null ? [] : Object.values(RENAMED[route])) {
    if (destination[option] !== undefined)
      wrong.push(`${place}.destinationChannelSettings.${option}: names of targets are given by a Rename rule`);
  }
  if (route !== 'oneclick_to_holo') return { source: of('sourceChannelSettings'), destination };
  for (const [name, done] of Object.entries(HOLO_CHANNEL)) {
    const value = destination[name];
    if (value !== undefined && value !== done)
      missing.push(`${place}.destinationChannelSettings.${name}: only ${done} is there yet`);
  }
  const options = Object.entries(destination).filter(([name]) => !Object.hasOwn(HOLO_CHANNEL, name));
  return { source: of('sourceChannelSettings'), destination: Object.fromEntries(options) };
}

function readJson(text: string, place: string, wrong: string[]): JsonObject {
  try {
    return parseJsonObject(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    wrong.push(`${place} must be a JSON object: ${error.message}`);
    return {};
  }
}

/** How a job is started. */
export interface JobStart {
  /** Seconds since the epoch; null keeps the position, or starts now. */
  readonly startTime: number | null;
  readonly failover: { readonly count: number | null; readonly intervalMinutes: number | null } | null;
}

/** As the job's own settings say, where nothing else is given. */
export const AS_SET: JobStart = { startTime: null, failover: null };

/** The StartParam that a job's settings come to; null when they say nothing. */
export function jobStartParam(settings: JobSettings | null, start: JobStart): string | null {
  const ddl = (settings?.DdlHandlingSettings ?? []).map(({ Type, Action }) => [
    Type.toUpperCase(),
    Action.toUpperCase(),
  ]);
  const named = (name: string) => settings?.RuntimeSettings?.findLast(({ Name }) => Name === name)?.Value ?? null;
  const count = start.failover?.count ?? named(FAILOVER.count);
  const interval = start.failover?.intervalMinutes ?? named(FAILOVER.interval);
  const failover = {
    ...(count === null ? {} : { count: Number(count) }),
    ...(interval === null ? {} : { interval: Number(interval) }),
  };
  const param = {
    ...(ddl.length === 0 ? {} : { ddlMarkMap: Object.fromEntries(ddl) as Record<string, string> }),
    ...(Object.keys(failover).length === 0 ? {} : { failoverLimit: failover }),
    ...(start.startTime === null ? {} : { startTime: start.startTime }),
  };
  return Object.keys(param).length === 0 ? null : canonicalJson(param);
}
