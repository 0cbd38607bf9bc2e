import type { Connection, Submittable } from 'pg';
import type { SendBuffer } from './send-buffer.ts';
import type { Statement } from './statement.ts';

/** A statement of a run was refused, or the connection broke while it ran; `cause` is the library's error. */
export class StatementError extends Error {
  override readonly name = 'StatementError';
  /** Which one: an index into the run's statements. */
  readonly index: number;

  constructor(index: number, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.index = index;
  }
}

/** The names of the statements that a connection has prepared, by their text. */
export class PreparedNames {
  readonly #names = new Map<string, string>();
  #count = 0;

  get(text: string): string | undefined {
    return this.#names.get(text);
  }

  /** A name for a text, or '' when there are enough of them. */
  add(text: string): string {
    if (this.#names.size >= 4096) return '';
    const name = `d${++this.#count}`;
    this.#names.set(text, name);
    return name;
  }

  delete(text: string): void {
    this.#names.delete(text);
  }
}

/**
 * Sends statements one behind the other, COPY data included, with one Sync at the end, so that the server never waits for
 * our turn of the event loop. After the first error the server skips the rest up to the Sync; so nothing is done out of
 * order. It is a `Submittable` of the library, which keeps the connection, its login and its reading.
 *
 *   Parse Bind Execute [CopyData… CopyDone]  …  Sync
 *
 * Source: PostgreSQL documentation, "Message Flow": Extended Query, Pipelining, COPY Operations.
 */
export class StatementRun implements Submittable {
  /** Resolves to the number of rows that each statement says it touched. Rejects with a StatementError. */
  readonly done: Promise<readonly number[]>;

  readonly #statements: readonly Statement[];
  readonly #out: SendBuffer;
  readonly #names: PreparedNames;
  readonly #parsed: string[] = [];
  readonly #counts: number[] = [];
  #resolve: (counts: readonly number[]) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #failed = false;

  constructor(statements: readonly Statement[], out: SendBuffer, names: PreparedNames) {
    this.#statements = statements;
    this.#out = out;
    this.#names = names;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(_connection: Connection): void {
    this.#send().catch((error: unknown) => this.handleError(error));
  }

  handleCommandComplete(message: { readonly text: string }): void {
    this.#counts.push(Number(/(\d+)$/.exec(message.text)?.[1] ?? 0));
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#counts);
  }

  handleError(error: unknown): void {
    this.#failed = true;
    for (const text of this.#parsed) this.#names.delete(text);
    this.#reject(new StatementError(this.#counts.length, error));
  }

  // Answers that say nothing new: results are not read, and COPY data is sent without being asked for.
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyInResponse(): void {}
  handleCopyData(): void {}

  async #send(): Promise<void> {
    const out = this.#out;
    out.clear();
    for (const statement of this.#statements) {
      this.#execute(statement);
      if (statement.copy !== undefined) {
        for (let more = true; more && !this.#failed; ) {
          more = statement.copy(out);
          if (out.full) await out.flush();
        }
        out.end(out.begin('c'));
      }
      if (out.full) await out.flush();
      if (this.#failed) break;
    }
    out.end(out.begin('S'));
    await out.flush();
  }

  #execute(statement: Statement): void {
    const out = this.#out;
    const known = statement.prepared ? this.#names.get(statement.text) : undefined;
    const name = known ?? this.#parse(statement);
    const bind = out.begin('B');
    out.cstring('');
    out.cstring(name);
    out.int16(1);
    out.int16(1);
    out.int16(statement.types.length);
    statement.parameters?.(out);
    out.int16(0);
    out.end(bind);
    const execute = out.begin('E');
    out.cstring('');
    out.int32(0);
    out.end(execute);
  }

  #parse({ text, types, prepared }: Statement): string {
    const out = this.#out;
    const name = prepared ? this.#names.add(text) : '';
    if (name !== '') this.#parsed.push(text);
    const parse = out.begin('P');
    out.cstring(name);
    out.cstring(text);
    out.int16(types.length);
    for (const type of types) out.int32(type);
    out.end(parse);
    return name;
  }
}
