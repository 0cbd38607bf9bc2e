import type { Json } from '../lib/json-value.ts';

export interface ReadCatalogueOptions {
  readonly settings: Json;
  /** Of the tables, in the order of their names. */
  readonly offset: number;
  readonly limit: number;
  readonly signal: AbortSignal;
}

export interface CatalogueTable {
  readonly database: string;
  /** Empty where the server has no schemas within databases. */
  readonly schema: string;
  readonly table: string;
  /** In their order, as the server describes them; none where tables have none. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** What there is behind a data source, as far as its account sees it; nothing of the server's own. */
export interface CataloguePage {
  /** All of them, whichever tables are on the page. */
  readonly schemas: readonly { readonly database: string; readonly schema: string }[];
  readonly tables: readonly CatalogueTable[];
  /** Tables over all pages. */
  readonly total: number;
}
