import type { CataloguePage, CatalogueTable, ReadCatalogueOptions } from '../../pipeline/catalogue.ts';
import { toPipelineError } from './errors.ts';
import { columnTypeText } from './protocol/column-type.ts';
import { listTables } from './protocol/table-list.ts';
import { tableFacts } from './protocol/table-facts.ts';
import { openRest } from './service.ts';
import { asMaxComputeSettings } from './settings.ts';

const RETRY_FIRST_MS = 100;

/** A page of the project's tables; of a project with schemas, those of the schema `default`. */
export async function readCatalogue({ settings, offset, limit, signal }: ReadCatalogueOptions): Promise<CataloguePage> {
  const maxcompute = asMaxComputeSettings(settings);
  const { project } = maxcompute;
  const rest = openRest(maxcompute, RETRY_FIRST_MS);
  try {
    const names = (await listTables(rest, { project }, signal)).sort();
    const tables: CatalogueTable[] = [];
    for (const table of names.slice(offset, offset + limit)) {
      const facts = await tableFacts(rest, { project, table }, signal);
      const columns = (facts?.columns ?? []).map(({ name, type }) => ({ name, type: columnTypeText(type) }));
      tables.push({ database: project, schema: '', table, columns });
    }
    return { schemas: [{ database: project, schema: '' }], tables, total: names.length };
  } catch (error) {
    throw toPipelineError(error, `asking ${maxcompute.endpoint} for the tables of ${project}`);
  } finally {
    rest.close();
  }
}
