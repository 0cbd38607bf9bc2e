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

const WORDS: RowWords = { rows: 'Connections', type: 'ConnectionType', disabled: 2 };

export const listConnections = dataSourceOperation({
  name: 'ListConnections',
  summary: 'the older form of ListDataSources',
  access: 'read',
  parameters: { ...FILTERS, ConnectionType: TYPE_FILTER, Status: STATUS_FILTER },
  data: { type: 'object', meaning: 'a page', fields: pageFields(WORDS) },
  httpStatusCode: 200,
  handle: (request) => {
    const { ConnectionType: type, Status: status } = request.parameters;
    return listPage(request, { type, enabled: enabledOf(status) }, WORDS);
  },
});
