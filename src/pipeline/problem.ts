import type { TableId } from './table.ts';

/** Something wrong with a setting or a server: what, why, and what to do. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly table?: TableId;
}
