import { dataSourceOperation } from '../data-source-operation.ts';
import {
  enabledOf,
  FILTERS,
  listPage,
  pageFields,
  type RowWords,
  STATUS_FILTER,
  TYPE_FILTER,
} from '../data-source-rows.ts';

const WORDS: RowWords = { rows: 'DataSources', type: 'DataSourceType', disabled: 2 };

export const listDataSources = dataSourceOperation({
  name: 'ListDataSources',
  summary: 'lists connections, newest first, secrets masked',
  access: 'read',
  parameters: { ...FILTERS, DataSourceType: TYPE_FILTER, Status: STATUS_FILTER },
  data: { type: 'object', meaning: 'a page', fields: pageFields(WORDS) },
  httpStatusCode: 200,
  handle: (request) => {
    const { DataSourceType: type, Status: status } = request.parameters;
    return listPage(request, { type, enabled: enabledOf(status) }, WORDS);
  },
});
