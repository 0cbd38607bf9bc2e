import type { Client } from 'pg';
import type { Duplex } from 'node:stream';
import { SendBuffer } from './protocol/send-buffer.ts';
import { PreparedNames, StatementRun } from './protocol/statement-run.ts';
import type { Statement } from './protocol/statement.ts';
import { connect, disconnect, type Server } from './server.ts';
import type { HologresSettings } from './options.ts';
import { StagingTables } from './staging-tables.ts';

/** The connection that writes: statements in runs, and what the connection remembers of them. */
export class Session {
  readonly server: Server;
  readonly client: Client;
  readonly staging = new StagingTables();

  readonly #out: SendBuffer;
  readonly #names = new PreparedNames();

  static async open(settings: HologresSettings): Promise<Session> {
    const { client, server } = await connect(settings);
    return new Session(client, server);
  }

  private constructor(client: Client, server: Server) {
    this.client = client;
    this.server = server;
    const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection;
    this.#out = new SendBuffer(stream);
  }

  /**
   * Runs statements one behind the other in one round trip; after a refusal the rest is skipped. Without a BEGIN among
   * them they are one implicit transaction.
   * Shape: rows touched, per statement. Errors: StatementError.
   */
  run(statements: readonly Statement[]): Promise<readonly number[]> {
    const run = new StatementRun(statements, this.#out, this.#names);
    this.client.query(run);
    return run.done;
  }

  close(): void {
    disconnect(this.client);
  }
}
