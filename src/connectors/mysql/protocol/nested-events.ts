/** Where the event last taken is put; valid until the next one is taken. */
export interface EventSlot {
  type: number;
  /** Seconds since the epoch. */
  timestamp: number;
  buffer: Buffer;
  bodyStart: number;
  bodyEnd: number;
}

/** Events that one event of the log stands for: they are taken before the log goes on. */
export interface NestedEvents {
  /** No event follows. */
  readonly ended: boolean;
  /** Takes the next event if it is whole. Its bytes are never written over. Errors: CorruptEvent. */
  take(slot: EventSlot): boolean;
  /** Waits until `take` gives something, or `ended`. Errors: as `take`. */
  more(): Promise<void>;
  close(): void;
}
