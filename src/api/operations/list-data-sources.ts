import type { JsonObject } from '../../lib/json-value.ts';
import type { DataSource } from '../../tasks/data-source-service.ts';
import { dataSourceOperation, dataSourceType, environment, projectId, subType } from '../data-source-operation.ts';
import { choice, integer, optional, text } from '../parameter.ts';

export const listDataSources = dataSourceOperation({
  name: 'ListDataSources',
  summary: 'lists connections, newest first, secrets masked',
  access: 'read',
  parameters: {
    ProjectId: projectId,
    DataSourceType: optional(dataSourceType('filter')),
    SubType: optional(subType('filter')),
    EnvType: optional(environment),
    Name: optional(text({ meaning: 'filter on the name', maxLength: 255 })),
    Status: optional(
      choice({
        meaning: 'filter',
        values: ['ENABLED', 'DISABLED'],
        note: 'every data source is ENABLED, so DISABLED lists none',
      }),
    ),
    PageNumber: optional(integer({ meaning: 'page, from 1', min: 1, max: 1_000_000, note: 'default 1' })),
    PageSize: optional(integer({ meaning: 'rows per page', min: 1, max: 100, note: 'default 10' })),
  },
  data: {
    type: 'object',
    meaning: 'a page',
    fields: [
      { name: 'DataSources', type: 'list', meaning: 'the page' },
      { name: 'PageNumber', type: 'integer', meaning: 'page' },
      { name: 'PageSize', type: 'integer', meaning: 'rows per page' },
      { name: 'TotalCount', type: 'integer', meaning: 'rows over all pages' },
    ],
  },
  httpStatusCode: 200,
  handle: async ({ parameters, grant, dataSources }) => {
    const caller = await grant.enter(parameters.ProjectId);
    const pageNumber = parameters.PageNumber ?? 1;
    const pageSize = parameters.PageSize ?? 10;
    const { rows, total } =
      parameters.Status === 'DISABLED'
        ? { rows: [], total: 0 }
        : await dataSources.list(caller, {
            name: parameters.Name,
            type: parameters.DataSourceType,
            subType: parameters.SubType,
            env: parameters.EnvType,
            pageNumber,
            pageSize,
          });
    const before = (pageNumber - 1) * pageSize;
    const described = rows.map((row, index) => describe(row, total - before - index));
    return { DataSources: described, PageNumber: pageNumber, PageSize: pageSize, TotalCount: total };
  },
});

function describe(source: DataSource, sequence: number): JsonObject {
  return {
    Id: source.id,
    ProjectId: source.project,
    Name: source.name,
    DataSourceType: source.type,
    SubType: source.subType,
    EnvType: source.env,
    Description: source.description,
    Content: source.maskedContent,
    Status: 1,
    ConnectStatus: 1,
    Sequence: sequence,
    Shared: false,
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
