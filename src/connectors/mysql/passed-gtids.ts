import { GtidPosition } from './gtid-position.ts';
import { type Gtid, GtidSet } from './gtid-set.ts';
import type { Family } from './protocol/table-map.ts';

export interface PassedGtidsOptions {
  readonly family: Family;
  /** What was passed so far; null when that is not known, until a file begins that tells it. */
  readonly text: string | null;
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
  readonly #filesTell: boolean;
  #ids: GtidSet | GtidPosition;
  #isWhole: boolean;
  #text: string | null = null;

  constructor({ family, text, purged = '', filesTell }: PassedGtidsOptions) {
    this.#ids = family === 'mysql' ? GtidSet.parse(text ?? '') : GtidPosition.parse(text ?? '');
    this.#isWhole = text !== null;
    this.#purged = purged;
    this.#filesTell = filesTell;
  }

  /** A transaction ended. One without an id (null) makes that ids do not tell any more what was passed. */
  add(gtid: Gtid | null): void {
    if (gtid === null) this.#isWhole = false;
    else {
      this.#ids.add(gtid);
      this.#text = null;
    }
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
