import type { JsonObject } from '../lib/json-value.ts';
import type { Page } from '../tasks/page.ts';
import type { Field } from './operation.ts';
import { integer, optional } from './parameter.ts';

const PAGE_SIZE = 10;

/** What lists take. */
export const PAGE_PARAMETERS = {
  PageNumber: optional(integer({ meaning: 'page, from 1', min: 1, max: 1_000_000, note: 'default 1' })),
  PageSize: optional(integer({ meaning: 'rows per page', min: 1, max: 100, note: `default ${PAGE_SIZE}` })),
};

/** What an object with a page has beside its rows. */
export const PAGE_FIELDS: readonly Field[] = [
  { name: 'PageNumber', type: 'integer', meaning: 'page' },
  { name: 'PageSize', type: 'integer', meaning: 'rows per page' },
  { name: 'TotalCount', type: 'integer', meaning: 'rows over all pages' },
];

export function pageOf({
  PageNumber,
  PageSize,
}: {
  readonly PageNumber: number | null;
  readonly PageSize: number | null;
}): Page {
  return { pageNumber: PageNumber ?? 1, pageSize: PageSize ?? PAGE_SIZE };
}

/** The values of PAGE_FIELDS. */
export function describePage({ pageNumber, pageSize }: Page, total: number): JsonObject {
  return { PageNumber: pageNumber, PageSize: pageSize, TotalCount: total };
}
