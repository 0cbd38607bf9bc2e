import type { SinkTable, TargetId } from '../../pipeline/route.ts';
import type { TableId } from '../../pipeline/table.ts';
import type { SessionColumn } from './protocol/tunnel-target.ts';
import type { TableForm } from './wanted-table.ts';

/** One prepared table: where its rows go, and which columns are there, in their order. */
export class Target {
  readonly table: TableId;
  readonly id: TargetId;
  readonly form: Exclude<TableForm, 'base'>;
  /** False once it failed or was dropped: its rows are left out until it is prepared again. */
  ready = true;
  #columns: readonly SessionColumn[];

  constructor({ table, target }: SinkTable, form: Target['form'], columns: readonly SessionColumn[]) {
    this.table = table.id;
    this.id = target;
    this.form = form;
    this.#columns = columns;
  }

  get columns(): readonly SessionColumn[] {
    return this.#columns;
  }

  /** Takes the columns as they are there now, or will be once what was altered is. */
  refresh(columns: readonly SessionColumn[]): void {
    this.#columns = columns;
  }
}
