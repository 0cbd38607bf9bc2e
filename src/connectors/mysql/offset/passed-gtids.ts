import { GtidPosition } from './gtid-position.ts';
import { GtidSet } from './gtid-set.ts';
import type { PassedLast } from './position.ts';
import type { GroupStart } from '../protocol/group-events.ts';
import type { Family } from '../protocol/table-map.ts';

type Passed = Pick<GroupStart, 'gtid' | 'originMicros'>;

export interface PassedGtidsOptions {
  readonly family: Family;
  /** What was passed so far; null when that is not known, until a file begins that tells it. */
  readonly text: string | null;
  readonly last?: PassedLast | null;
  /** MySQL: ids that no file of the log holds any more, though they were executed. */
  readonly purged?: string;
  /** False where transactions have no ids, so that files tell nothing by theirs. */
  readonly filesTell: boolean;
}

/**
 * The transactions that were passed: MySQL's as a set, MariaDB's as a position. They are `whole` when all that the server
 * executed up to this place are among them: then another server can be asked for the others.
 */
export class PassedGtids {
  readonly #purged: string;
  readonly #lastBefore: PassedLast | null;
  #last: Passed | null = null;
  readonly #filesTell: boolean;
  #ids: GtidSet | GtidPosition;
  #isWhole: boolean;
  #text: string | null = null;

  constructor({ family, text, last = null, purged = '', filesTell }: PassedGtidsOptions) {
    this.#ids = family === 'mysql' ? GtidSet.parse(text ?? '') : GtidPosition.parse(text ?? '');
    this.#isWhole = text !== null;
    this.#lastBefore = last;
    this.#purged = purged;
    this.#filesTell = filesTell;
  }

  /** A transaction ended. One without an id (or null) makes that ids do not tell any more what was passed. */
  add(transaction: Passed | null): void {
    const gtid = transaction?.gtid;
    if (gtid === null || gtid === undefined) {
      this.#isWhole = false;
      return;
    }
    this.#ids.add(gtid);
    this.#text = null;
    this.#last = transaction;
  }

  /** The last one, if it is known when it was committed first: it proves that its id was not used twice. */
  get last(): PassedLast | null {
    const { gtid = null, originMicros = null } = this.#last ?? {};
    if (gtid === null || originMicros === null) return this.#lastBefore;
    return { gtid: `${gtid.source}:${gtid.number}`, originMicros };
  }

  /** A file of the log begins, and tells what was executed before it. */
  fileBegins(previous: string): void {
    if (!this.#filesTell) return;
    if (this.#ids instanceof GtidSet) this.#ids = this.#ids.union(GtidSet.parse(`${previous},${this.#purged}`));
    else if (!this.#isWhole) this.#ids = GtidPosition.parse(previous);
    this.#isWhole = true;
    this.#text = null;
  }

  /** All that are known. */
  get known(): string {
    return (this.#text ??= this.#ids.toString());
  }

  /** Null unless they are whole. */
  get whole(): string | null {
    return this.#isWhole ? this.known : null;
  }
}
