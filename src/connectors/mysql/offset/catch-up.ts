import { PipelineError } from '../../../pipeline/pipeline-error.ts';
import { domainOf, GtidPosition } from './gtid-position.ts';
import { type Gtid, GtidSet } from './gtid-set.ts';
import { comparePositions, describePosition, type LogPosition, type PassedLast } from './position.ts';
import type { GroupStart } from '../protocol/group-events.ts';
import type { Family } from '../protocol/table-map.ts';

export interface CatchUpOptions {
  readonly family: Family;
  /** What was passed before, as the text of a set or a position. */
  readonly passed: string;
  /** One of them, which must have been committed when it was. */
  readonly last: PassedLast | null;
  /** MariaDB: the last transactions before the file where reading begins. */
  readonly before: string;
  /** Where the log ended when reading began: all that was passed lies before it. */
  readonly until: LogPosition;
}

/**
 * A log is read in which transactions lie that were passed before: at another server, whose positions are others, or before
 * a first start. Tells them by their ids.
 */
export class CatchUp {
  readonly until: LogPosition;
  readonly #passed: GtidSet;
  readonly #last: PassedLast | null;
  /** MariaDB: per domain the last one that was passed; all of the domain up to it were passed as well. */
  readonly #awaited = new Map<string, Gtid & { readonly text: string }>();

  constructor({ family, passed, last, before, until }: CatchUpOptions) {
    this.until = until;
    this.#last = last;
    this.#passed = GtidSet.parse(family === 'mysql' ? passed : '');
    if (family === 'mysql') return;
    const [ours, begins] = [GtidPosition.parse(passed), GtidPosition.parse(before)];
    for (const domain of ours.domains) {
      const last = ours.lastOf(domain);
      if (last !== undefined && !begins.isLast(last)) this.#awaited.set(domain, last);
    }
  }

  /**
   * Of a transaction that begins. Errors: PipelineError `fatal` when it has no id, or is another than the one that was
   * passed under its id.
   */
  wasPassed({ gtid, originMicros }: Pick<GroupStart, 'gtid' | 'originMicros'>, at: LogPosition): boolean {
    if (gtid === null) throw otherHistory(`the transaction at ${describePosition(at)} has no id to know it by`);
    if (this.#passed.has(gtid)) {
      if (this.#last?.gtid === `${gtid.source}:${gtid.number}` && this.#last.originMicros !== originMicros)
        throw otherHistory(`its ${this.#last.gtid} is another transaction than the one that was passed`);
      return true;
    }
    const domain = domainOf(gtid.source);
    const last = this.#awaited.get(domain);
    if (last === undefined) return false;
    if (gtid.source === last.source && gtid.number === last.number) this.#awaited.delete(domain);
    return true;
  }

  /** True once nothing that was passed before can come any more. Errors: PipelineError `fatal` when something that was passed did not come. */
  isOver(boundary: LogPosition): boolean {
    if (comparePositions(boundary, this.until) < 0) return false;
    const [awaited] = this.#awaited.values();
    if (awaited !== undefined)
      throw otherHistory(
        `the log up to ${describePosition(this.until)} is without ${awaited.text}, which was passed before`,
      );
    return true;
  }
}

function otherHistory(fact: string): PipelineError {
  return new PipelineError('fatal', 'MySQL.HistoryChanged', `the log is not one in which the task can go on: ${fact}`, {
    hint: 'Point the data source at a server that has all of them, or terminate the task and start it again with a new load.',
  });
}
