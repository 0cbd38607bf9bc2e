/** What every error of ours carries beside its message: a code that docs/errors.md lists, and what to do about it. */
export interface ErrorFacts {
  cause?: unknown;
  hint?: string | undefined;
}

/** An error with a code. Its subclasses say who throws it and what happens then (docs/ARCHITECTURE.md, "Errors"). */
export class CodedError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.hint = facts.hint;
  }
}

/** True when `error` is a normal end that the caller asked for through `signal`. */
export function isAbort(error: unknown, signal?: AbortSignal): boolean {
  if (signal?.aborted) return true;
  return error instanceof Error && error.name === 'AbortError';
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Anything thrown, for a person: with its code where it has one, and on a line of its own what to do. */
export function describeError(error: unknown): string {
  if (!(error instanceof CodedError)) return messageOf(error);
  return `${error.code}: ${error.message}${error.hint === undefined ? '' : `\n${error.hint}`}`;
}

/** Reached only by a defect of ours: a union that a switch did not exhaust. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${String(value)}`);
}
