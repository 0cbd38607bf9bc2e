export interface Page {
  /** From 1. */
  readonly pageNumber: number;
  readonly pageSize: number;
}
