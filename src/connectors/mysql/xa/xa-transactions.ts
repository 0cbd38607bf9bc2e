import { PipelineError } from '../../../pipeline/pipeline-error.ts';
import type { KnownPlace } from '../offset/position.ts';
import type { EventSlot, NestedEvents } from '../protocol/nested-events.ts';
import { EventSpool, type SpoolQuota } from './event-spool.ts';

/** A transaction that was prepared, and has no outcome yet. */
interface Prepared {
  /** Where its group of events begins. */
  readonly from: KnownPlace;
  /** When it was prepared, microseconds since the epoch. */
  readonly sinceMicros: number;
  readonly spool: EventSpool;
}

/**
 * The XA transactions of the log whose outcome is not known: their rows are kept, also those of tables that are not
 * captured (yet), until a commit hands them on or a rollback drops them.
 */
export class XaTransactions {
  readonly #quota: SpoolQuota;
  /** By xid, in the order of the log. */
  readonly #prepared = new Map<string, Prepared>();
  /** The group that is read now, until it is prepared. */
  #current: { readonly from: KnownPlace; readonly spool: EventSpool } | null = null;
  /** What is being handed on; of a prepared one it stays known until that has ended. */
  #committing: { readonly xid: string | null; readonly spool: EventSpool } | null = null;

  constructor(spillBytesMax: number) {
    this.#quota = { bytesMax: spillBytesMax, bytes: 0, inMemory: 0 };
  }

  /** True while the events that come belong to a transaction that is not prepared yet. */
  get collecting(): boolean {
    return this.#current !== null;
  }

  /** The oldest that has no outcome; null when there is none. A resume reads from its `from`. */
  get oldest(): Pick<Prepared, 'from' | 'sinceMicros'> | null {
    const [first] = this.#prepared.values();
    return first ?? null;
  }

  begin(from: KnownPlace): void {
    this.abandon();
    this.#current = { from, spool: new EventSpool(this.#quota) };
  }

  collect(event: EventSlot): void {
    this.#current?.spool.add(event);
  }

  /** The group did not come to its end. */
  abandon(): void {
    this.#current?.spool.close();
    this.#current = null;
  }

  /** The group ended with its preparation. */
  prepared(xid: string, sinceMicros: number): void {
    if (this.#current === null) return;
    this.#prepared.get(xid)?.spool.close(); // a xid is free again once its outcome is known
    this.#prepared.delete(xid);
    this.#prepared.set(xid, { ...this.#current, sinceMicros });
    this.#current = null;
  }

  /** The group is committed in one phase: its events are handed on now. */
  commitCurrent(): NestedEvents | null {
    if (this.#current === null) return null;
    const { spool } = this.#current;
    this.#committing = { xid: null, spool };
    this.#current = null;
    return spool.replay();
  }

  /** The events of a prepared transaction, to be handed on now; null when it is not known. */
  commit(xid: string): NestedEvents | null {
    const prepared = this.#prepared.get(xid);
    if (prepared === undefined) return null;
    this.#committing = { xid, spool: prepared.spool };
    return prepared.spool.replay();
  }

  /** What was handed on is over. */
  committed(): void {
    if (this.#committing === null) return;
    const { xid, spool } = this.#committing;
    spool.close();
    if (xid !== null) this.#prepared.delete(xid);
    this.#committing = null;
  }

  /** Forgets a prepared transaction. */
  drop(xid: string): void {
    this.#prepared.get(xid)?.spool.close();
    this.#prepared.delete(xid);
  }

  /** Errors: PipelineError `fatal` when one has been without outcome for more than `secondsMax`. */
  checkAge(nowMicros: number, secondsMax: number): void {
    const [first] = this.#prepared;
    if (first === undefined) return;
    const [xid, { sinceMicros, from }] = first;
    const seconds = Math.floor((nowMicros - sinceMicros) / 1e6);
    if (seconds <= secondsMax) return;
    throw new PipelineError(
      'fatal',
      'MySQL.XaTooOld',
      `the XA transaction ${xid} was prepared ${seconds} s ago at ${from.file}:${from.position} and has no outcome`,
      {
        hint: `XA COMMIT or XA ROLLBACK ${xid}, or raise the reader’s xaAgeSecondsMax (${secondsMax}); then start the task again: it goes on where it was.`,
      },
    );
  }

  close(): void {
    for (const { spool } of this.#prepared.values()) spool.close();
    this.#prepared.clear();
    this.abandon();
  }
}
