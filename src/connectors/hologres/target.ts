import type { SinkTable, TargetId } from '../../pipeline/route.ts';
import type { Column, TableId, TableVersion, ValueType } from '../../pipeline/table.ts';
import { layRow, type LayoutColumn, type RowLayout } from './encode/row-layout.ts';
import { quoteTarget } from './names.ts';
import { BASE_TYPES } from './types.ts';

/** What the sink knows of one column of a target. */
export interface KnownColumn {
  /** By its catalogue name, such as `int8`. */
  readonly baseType: string;
  /** With its modifiers, such as `numeric(12,2)`. */
  readonly sql: string;
  readonly nullable: boolean;
}

export interface NamedColumn extends KnownColumn {
  readonly name: string;
}

const DIRECT_PAUSE_MAX = 1024;

/** One prepared table: where its rows go, which columns are there, and how its rows are laid out. */
export class Target {
  readonly table: TableId;
  readonly id: TargetId;
  /** The quoted name. */
  readonly sql: string;
  readonly columns = new Map<string, KnownColumn>();
  /** False once it failed or was dropped: its rows are left out until it is prepared again. */
  ready = true;

  readonly #layouts = new Map<TableVersion, RowLayout>();
  #directPause = 1;
  #directPausedFor = 0;

  constructor({ table, target }: SinkTable, columns: readonly NamedColumn[]) {
    this.table = table.id;
    this.id = target;
    this.sql = quoteTarget(target);
    this.refresh(columns);
  }

  /** Takes the columns as they are there now. */
  refresh(columns: readonly NamedColumn[]): void {
    this.columns.clear();
    for (const { name, baseType, sql, nullable } of columns) this.columns.set(name, { baseType, sql, nullable });
    this.#layouts.clear();
  }

  /** The layout of a table version's rows, made at first sight. Columns that the target lacks are left out. */
  layout(version: TableVersion): RowLayout {
    const known = this.#layouts.get(version);
    if (known !== undefined) return known;
    const layout = layRow(version, (index) => this.#columnAt(version, index));
    this.#layouts.set(version, layout);
    return layout;
  }

  /**
   * Whether rows that the source inserted may be copied straight into the target: the fastest way, and right whenever it
   * is not refused. After a refusal (the key was there) it is not tried again for a while, twice as long each time.
   */
  takesDirect(): boolean {
    return this.#directPausedFor <= 0;
  }

  directRefused(): void {
    this.#directPausedFor = this.#directPause;
    this.#directPause = Math.min(this.#directPause * 2, DIRECT_PAUSE_MAX);
  }

  /** A commit with changes of this target went through. */
  committed(): void {
    if (this.#directPausedFor > 0) this.#directPausedFor--;
    else this.#directPause = Math.max(1, this.#directPause >> 1);
  }

  #columnAt(version: TableVersion, index: number): LayoutColumn | null {
    const column = version.columns[index];
    const known = column === undefined ? undefined : this.columns.get(column.name);
    return column === undefined || known === undefined
      ? null
      : layoutColumn(column, known, version.key.includes(index));
  }
}

function layoutColumn(column: Column, { baseType, nullable }: KnownColumn, isKey: boolean): LayoutColumn {
  // `bit` alone would be bit(1); bits of any width go through `varbit`.
  const name = baseType === 'bit' ? 'varbit' : baseType;
  const base = BASE_TYPES[name];
  if (base === undefined) throw new Error(`column type ${baseType} was not verified`);
  return {
    name: column.name,
    baseType: name,
    oid: base.oid,
    wire: base.wire,
    nullable: nullable && !isKey,
    isKey,
    fraction: fractionOf(column.type),
    width: widthOf(column.type),
  };
}

function fractionOf(type: ValueType): number {
  return type.kind === 'time' || type.kind === 'datetime' || type.kind === 'instant' ? type.fraction : 0;
}

function widthOf(type: ValueType): number {
  if (type.kind === 'bits') return type.width;
  return type.kind === 'bytes' ? (type.length ?? 0) : 0;
}
