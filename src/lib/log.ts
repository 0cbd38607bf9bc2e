/** A structured logger: an event in words, its facts as fields. Never a secret, never a row value (I7). */
export interface Logger {
  error(facts: object, event: string): void;
  warn(facts: object, event: string): void;
  info(facts: object, event: string): void;
  debug(facts: object, event: string): void;
  /** A logger with `facts` bound, such as taskId, runId, table. */
  child(facts: object): Logger;
}

/** Says nothing: for tests and for callers who do not care. */
export const silentLog: Logger = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  child: () => silentLog,
};
