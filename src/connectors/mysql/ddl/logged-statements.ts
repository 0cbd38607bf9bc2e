import type { Logger } from '../../../lib/log.ts';
import type { Part } from '../../../pipeline/batch.ts';
import type { Failure } from '../../../pipeline/checkpoint.ts';
import { describeTable, type TableId } from '../../../pipeline/table.ts';
import { type CapturedTable, keyOfNamed } from '../captured-table.ts';
import { describePosition, type LogPosition } from '../offset/position.ts';
import type { Statement } from '../protocol/group-events.ts';
import { type StatementTargets, statementTargets } from './statement-targets.ts';
import { SYSTEM_DATABASES } from '../system-databases.ts';

export interface LoggedStatementsOptions {
  readonly log: Logger;
  /** The tables of the run, by tableKey. */
  readonly tables: ReadonlyMap<string, CapturedTable>;
  /** The server compares names of tables without regard to case, and logs them in lower case. */
  readonly lowerCaseNames: boolean;
  /** Fails a table and gives the news of it. */
  fail(table: CapturedTable, failure: Failure): Part;
}

/**
 * Finds changes that the log holds as a statement and not as rows, as a session writes them that has set binlog_format to
 * STATEMENT or MIXED: their rows cannot be known, so that their tables fail (I3). They are counted.
 */
export class LoggedStatements {
  readonly #options: LoggedStatementsOptions;
  #onCaptured = 0;
  #onOthers = 0;

  constructor(options: LoggedStatementsOptions) {
    this.#options = options;
  }

  /** `at` is behind the statement. */
  follow(statement: Statement, at: LogPosition, parts: Part[]): void {
    const targets = statementTargets(statement);
    if (
      targets === null ||
      (targets !== 'unknown' && targets.every(({ database }) => SYSTEM_DATABASES.includes(database)))
    )
      return;
    const hit = this.#hit(targets, statement);
    this.#count(hit, at);
    for (const table of hit) {
      if (table.flows) parts.push(this.#options.fail(table, failureAt(table.id, at, targets === 'unknown')));
    }
  }

  /** Captured tables that it changes; when that cannot be told, all of the databases that it is about. */
  #hit(targets: StatementTargets, { sql, database }: Statement): CapturedTable[] {
    const { tables, lowerCaseNames } = this.#options;
    if (targets !== 'unknown') {
      const keys = new Set(targets.map((id) => keyOfNamed(id, lowerCaseNames)));
      return [...keys].flatMap((key) => tables.get(key) ?? []);
    }
    const text = sql.toLowerCase();
    const own = lowerCaseNames ? database.toLowerCase() : database;
    return [...tables.values()].filter(({ id }) => id.database === own || text.includes(id.database.toLowerCase()));
  }

  /** Told at the first, the tenth, the hundredth… */
  #count(hit: readonly CapturedTable[], at: LogPosition): void {
    const { log } = this.#options;
    const position = describePosition(at);
    if (hit.length > 0) {
      this.#onCaptured += 1;
      if (isRound(this.#onCaptured))
        log.warn(
          { statements: this.#onCaptured, position, tables: hit.map(({ id }) => id) },
          'changes of captured tables are in the log as statements, without their rows',
        );
      return;
    }
    this.#onOthers += 1;
    if (isRound(this.#onOthers))
      log.warn(
        { statements: this.#onOthers, position },
        'changes of tables that are not captured are in the log as statements: what their triggers did to captured ones is not seen',
      );
  }
}

function isRound(count: number): boolean {
  return Number.isInteger(Math.log10(count));
}

function failureAt(table: TableId, at: LogPosition, isGuess: boolean): Failure {
  return {
    code: 'Table.StatementLogged',
    message: `${describeTable(table)}: ${isGuess ? 'a statement that may have changed it' : 'a change'} is in the log as a statement, without its rows, before ${describePosition(at)}`,
    remedy:
      'Let the session that wrote it use binlog_format = ROW (where it was set globally: SET GLOBAL binlog_format = ROW, and reconnect), then deploy the task again: the table is loaded afresh.',
  };
}
