import type { JsonObject } from '../lib/json-value.ts';
import type { DataSource, DataSourceFilter } from '../tasks/data-source-service.ts';
import { type DataSourceRequest, dataSourceType, environment, projectId, subType } from './data-source-operation.ts';
import type { Field } from './operation.ts';
import { describePage, PAGE_FIELDS, PAGE_PARAMETERS, pageOf } from './page.ts';
import { choice, optional, text } from './parameter.ts';

/** What all lists of data sources take, but for their type, whose name differs. */
export const FILTERS = {
  ProjectId: projectId,
  SubType: optional(subType('filter')),
  EnvType: optional(environment),
  Name: optional(text({ meaning: 'a part of the name, in any case', maxLength: 255 })),
  ...PAGE_PARAMETERS,
};
export const TYPE_FILTER = optional(dataSourceType('filter'));
export const STATUS_FILTER = optional(choice({ meaning: 'filter', values: ['ENABLED', 'DISABLED'] }));

/** How a list says it: its key of the rows, the key of their type, and its number for one that is disabled. */
export interface RowWords {
  readonly rows: 'DataSources' | 'Connections';
  readonly type: 'DataSourceType' | 'ConnectionType';
  readonly disabled: 2 | 0;
}

/** Data of a list. */
export function pageFields({ rows, type, disabled }: RowWords): Field[] {
  const status = `1, or ${disabled} while it is disabled`;
  const row: Field[] = [
    { name: 'Id', type: 'long', meaning: 'id' },
    { name: 'ProjectId', type: 'long', meaning: 'workspace' },
    { name: 'Name', type: 'string', meaning: 'name' },
    { name: type, type: 'string', meaning: 'kind of system' },
    { name: 'SubType', type: 'string', meaning: 'engine behind rds; null without' },
    { name: 'EnvType', type: 'integer', meaning: '0 development, 1 production' },
    { name: 'Description', type: 'string', meaning: 'free text' },
    { name: 'Content', type: 'string', meaning: 'how to connect, JSON in a string; secrets are ***' },
    { name: 'Status', type: 'integer', meaning: status },
    { name: 'ConnectStatus', type: 'integer', meaning: `${status}; TestNetworkConnection tells whether it answers` },
    { name: 'Sequence', type: 'integer', meaning: 'place in the list, descending' },
    { name: 'Shared', type: 'boolean', meaning: 'other workspaces may use it' },
    { name: 'DefaultEngine', type: 'boolean', meaning: 'false' },
    { name: 'BindingCalcEngineId', type: 'long', meaning: 'null' },
    { name: 'TenantId', type: 'long', meaning: 'null' },
    { name: 'Operator', type: 'string', meaning: 'the user who changed it last' },
    { name: 'GmtCreate', type: 'string', meaning: 'such as Mar 17, 2021 4:09:32 PM; UTC' },
    { name: 'GmtModified', type: 'string', meaning: 'the same of the last change' },
  ];
  return [{ name: rows, type: 'list', meaning: 'the page', fields: row }, ...PAGE_FIELDS];
}

/** Null asks for both. */
export function enabledOf(status: 'ENABLED' | 'DISABLED' | null): boolean | null {
  return status === null ? null : status === 'ENABLED';
}

/** Data of one page. */
export async function listPage(
  { parameters, grant, dataSources }: DataSourceRequest<typeof FILTERS>,
  { type, enabled }: Pick<DataSourceFilter, 'type' | 'enabled'>,
  words: RowWords,
): Promise<JsonObject> {
  const caller = await grant.enter(parameters.ProjectId);
  const { Name: name, SubType: given, EnvType: env } = parameters;
  const page = pageOf(parameters);
  const filter = { name, type, subType: given, env, enabled, ...page };
  const { rows, total } = await dataSources.list(caller, filter);
  const before = (page.pageNumber - 1) * page.pageSize;
  const described = rows.map((row, index) => describe(row, total - before - index, words));
  return { [words.rows]: described, ...describePage(page, total) };
}

function describe(source: DataSource, sequence: number, { type, disabled }: RowWords): JsonObject {
  const status = source.enabled ? 1 : disabled;
  return {
    Id: source.id,
    ProjectId: source.project,
    Name: source.name,
    [type]: source.type,
    SubType: source.subType,
    EnvType: source.env,
    Description: source.description,
    Content: source.maskedContent,
    Status: status,
    ConnectStatus: status,
    Sequence: sequence,
    Shared: source.shared,
    DefaultEngine: false,
    BindingCalcEngineId: null,
    TenantId: null,
    Operator: source.operator,
    GmtCreate: calendarText(source.createdAt),
    GmtModified: calendarText(source.modifiedAt),
  };
}

const CALENDAR = new Intl.DateTimeFormat('en-US', {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
  second: '2-digit',
  timeZone: 'UTC',
});

/** The API's form, such as `Mar 17, 2021 4:09:32 PM`; UTC. */
function calendarText(ms: number): string {
  const part = Object.fromEntries(CALENDAR.formatToParts(ms).map(({ type, value }) => [type, value]));
  return `${part['month']} ${part['day']}, ${part['year']} ${part['hour']}:${part['minute']}:${part['second']} ${part['dayPeriod']}`;
}
