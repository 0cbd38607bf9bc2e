import { dataSourceOperation } from '../data-source-operation.ts';
import { FILTERS, listPage, pageFields, type RowWords, TYPE_FILTER } from '../data-source-rows.ts';

const WORDS: RowWords = { rows: 'DataSources', type: 'DataSourceType', disabled: 0 };

export const exportDataSources = dataSourceOperation({
  name: 'ExportDataSources',
  summary: 'lists connections for another workspace, secrets masked',
  access: 'read',
  parameters: { ...FILTERS, DataSourceType: TYPE_FILTER },
  data: { type: 'object', meaning: 'a page', fields: pageFields(WORDS) },
  httpStatusCode: 200,
  notes: ['secrets are masked here too: ImportDataSources takes such a Content only with the secrets put in again'],
  handle: (request) => {
    const { DataSourceType: type } = request.parameters;
    return listPage(request, { type, enabled: null }, WORDS);
  },
});
