import type { Logger } from '../../../lib/log.ts';
import type { DdlPart, LogPlace, Part } from '../../../pipeline/batch.ts';
import type { Failure } from '../../../pipeline/checkpoint.ts';
import type { DdlKind, Policies } from '../../../pipeline/policies.ts';
import type { TableId } from '../../../pipeline/table.ts';
import { type CapturedTable, keyOfNamed } from '../captured-table.ts';
import { applyAlter } from './apply-alter.ts';
import type { AlterAction, AlterStatement, DdlStatement } from './statement.ts';
import type { Family } from '../protocol/table-map.ts';
import { changeShape, critical } from './schema-change.ts';
import { isSameName, logColumns } from '../types.ts';

export interface DdlFollowerOptions {
  readonly policies: Policies;
  readonly log: Logger;
  /** The tables of the run, by tableKey. */
  readonly tables: ReadonlyMap<string, CapturedTable>;
  /** The server compares names of tables without regard to case, and logs them in lower case. */
  readonly lowerCaseNames: boolean;
  readonly family: Family;
  /** Fails a table and gives the news of it. */
  fail(table: CapturedTable, failure: Failure): Part;
  /** Told of each kind that a statement has for a captured table, before anything comes of it. */
  onDdl(kind: DdlKind): void;
}

/** A statement as the log has it. */
export interface LoggedDdl {
  readonly text: string;
  readonly timeMicros: number;
  readonly place: LogPlace;
}

/** Does to captured tables what the statements of the log did to them. */
export class DdlFollower {
  readonly #options: DdlFollowerOptions;

  constructor(options: DdlFollowerOptions) {
    this.#options = options;
  }

  /** Errors: PipelineError `fatal` where a policy is CRITICAL. */
  follow(statement: DdlStatement, logged: LoggedDdl, parts: Part[]): void {
    switch (statement.kind) {
      case 'alter':
        return this.#alter(statement, logged, parts);
      case 'truncate':
        return this.#each([statement.table], (table) => this.#truncated(table, logged, parts));
      case 'create':
        return this.#each([statement.table], (table) => this.#replaced(table, 'CREATETABLE', logged, parts));
      case 'drop':
        return this.#each(statement.tables, (table) => this.#replaced(table, 'DROPTABLE', logged, parts));
      case 'rename':
        return this.#each(
          statement.pairs.flatMap(({ from, to }) => [from, to]),
          (table) => this.#replaced(table, 'RENAMETABLE', logged, parts),
        );
      case 'dropDatabase': {
        const { tables, lowerCaseNames } = this.#options;
        const name = lowerCaseNames ? statement.database.toLowerCase() : statement.database;
        const gone = [...tables.values()].filter(({ id }) => id.database === name);
        return this.#each(
          gone.map(({ id }) => id),
          (table) => this.#replaced(table, 'DROPTABLE', logged, parts),
        );
      }
    }
  }

  #each(ids: readonly TableId[], work: (table: CapturedTable) => void): void {
    const { tables, lowerCaseNames } = this.#options;
    for (const key of new Set(ids.map((id) => keyOfNamed(id, lowerCaseNames)))) {
      const table = tables.get(key);
      if (table === undefined || table.state === 'FAILED') continue;
      // A table that has not joined yet was described after this statement.
      if (table.state !== 'WAITING' || table.joined) work(table);
    }
  }

  #alter({ table: id, actions, renamedTo, movesRows }: AlterStatement, logged: LoggedDdl, parts: Part[]): void {
    this.#each([id], (table) => {
      const { shape } = table;
      const kinds = new Set(kindsOf(actions ?? []));
      for (const kind of kinds) this.#options.onDdl(kind);
      const forwarded = [...kinds].find((kind) => this.#options.policies.ddl[kind] === 'NORMAL');
      if (forwarded !== undefined) parts.push(ddlPart(table, forwarded, logged));
      const { family } = this.#options;
      const known =
        actions === null || table.suspect
          ? null
          : applyAlter({ columns: logColumns(shape), family, charset: shape.charset ?? null }, actions);
      if (known === null) this.#doubt(table, parts);
      else if (actions?.length !== 0) {
        const { policies, log } = this.#options;
        const { parts: news, failure } = changeShape(table, known, { policies: policies.ddl, log });
        parts.push(...news);
        if (failure !== null) parts.push(this.#options.fail(table, failure));
      }
      if (movesRows)
        this.#options.log.warn({ table: table.id }, 'rows of a partition went or came without changes in the log');
    });
    if (renamedTo !== null) this.#each([id, renamedTo], (table) => this.#replaced(table, 'RENAMETABLE', logged, parts));
  }

  /** What it looks like shows in the next table map; until then the mark goes into the checkpoint. */
  #doubt(table: CapturedTable, parts: Part[]): void {
    table.windows.void();
    if (table.suspect) return;
    table.suspect = true;
    parts.push({ kind: 'progress', progress: table.progress() });
  }

  #truncated(table: CapturedTable, logged: LoggedDdl, parts: Part[]): void {
    table.windows.void();
    this.#options.onDdl('TRUNCATETABLE');
    const policy = this.#options.policies.ddl.TRUNCATETABLE;
    if (policy === 'NORMAL')
      parts.push(ddlPart(table, 'TRUNCATETABLE', logged), {
        kind: 'empty',
        table: table.shape.version,
        timeMicros: logged.timeMicros,
        place: logged.place,
      });
    else this.#leaveOut(table, 'TRUNCATETABLE');
  }

  /** Another table has the name from here on, or none: what it holds is not known. */
  #replaced(table: CapturedTable, kind: DdlKind, logged: LoggedDdl, parts: Part[]): void {
    this.#doubt(table, parts);
    this.#options.onDdl(kind);
    if (this.#options.policies.ddl[kind] !== 'NORMAL') return this.#leaveOut(table, kind);
    parts.push(ddlPart(table, kind, logged));
  }

  #leaveOut(table: CapturedTable, kind: DdlKind): void {
    const policy = this.#options.policies.ddl[kind];
    if (policy === 'CRITICAL') throw critical(table, kind, 'the log has such a statement');
    if (policy !== 'IGNORE')
      this.#options.log.warn(
        { table: table.id, ddl: kind },
        'a statement on a captured table was left out, as its policy says',
      );
  }
}

function kindsOf(actions: readonly AlterAction[]): readonly DdlKind[] {
  return actions.flatMap((action): readonly DdlKind[] => {
    switch (action.does) {
      case 'add':
        return ['ADDCOLUMN'];
      case 'drop':
        return ['DROPCOLUMN'];
      case 'rename':
        return ['RENAMECOLUMN'];
      case 'change':
        return isSameName(action.name, action.to) ? ['MODIFYCOLUMN'] : ['RENAMECOLUMN', 'MODIFYCOLUMN'];
      case 'charset':
      case 'convert':
      case 'key':
        return [];
    }
  });
}

function ddlPart(table: CapturedTable, ddl: DdlKind, { text, timeMicros, place }: LoggedDdl): DdlPart {
  return { kind: 'ddl', table: table.shape.version, ddl, statement: text, timeMicros, place };
}
