import type { DdlKind } from '../../../pipeline/policies.ts';

/** What DataWorks and Canal call a statement. */
export const DDL_OPS: Readonly<Record<DdlKind, string>> = {
  CREATETABLE: 'CREATE',
  DROPTABLE: 'ERASE',
  RENAMETABLE: 'RENAME',
  TRUNCATETABLE: 'TRUNCATE',
  ADDCOLUMN: 'ALTER',
  DROPCOLUMN: 'ALTER',
  RENAMECOLUMN: 'ALTER',
  MODIFYCOLUMN: 'ALTER',
};
