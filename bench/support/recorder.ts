import { createServer, connect, type Server as NetServer, type Socket } from 'node:net';
import type { Client } from 'pg';

/** What one connection sent up to where the server had to answer: to a Query or a Sync. */
interface Turn {
  readonly connection: number;
  readonly bytes: Buffer;
}

const QUERY = 'Q'.charCodeAt(0);
const SYNC = 'S'.charCodeAt(0);
const PASSWORD = 'p'.charCodeAt(0);
const TERMINATE = 'X'.charCodeAt(0);
const READY = 'Z'.charCodeAt(0);

/** Stands before a PostgreSQL and keeps what it is sent, so that the same bytes can be sent again without whoever made them. */
export class Recorder {
  readonly turns: Turn[] = [];
  readonly #server: NetServer;
  #connections = 0;

  private constructor(port: number) {
    this.#server = createServer((client) => this.#pipe(client, connect(port, '127.0.0.1')));
  }

  static async open(port: number): Promise<Recorder> {
    const recorder = new Recorder(port);
    await new Promise<void>((resolve) => recorder.#server.listen(0, '127.0.0.1', resolve));
    return recorder;
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  close(): void {
    this.#server.close();
  }

  #pipe(client: Socket, server: Socket): void {
    const connection = this.#connections;
    this.#connections += 1;
    client.setNoDelay(true);
    server.setNoDelay(true);
    client.pipe(server);
    server.pipe(client);
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
    const messages = new Messages(true);
    let turn: Buffer[] = [];
    client.on('data', (chunk: Buffer) => {
      for (const { type, bytes } of messages.take(chunk)) {
        if (type === 0 || type === PASSWORD || type === TERMINATE) continue;
        turn.push(bytes);
        if (type !== QUERY && type !== SYNC) continue;
        this.turns.push({ connection, bytes: Buffer.concat(turn) });
        turn = [];
      }
    });
  }
}

/**
 * Sends recorded turns again, each when the one before it was answered, over connections that `open` logs in. Gives the
 * seconds from the first to the last answer.
 */
export async function replay(turns: readonly Turn[], open: () => Promise<Client>): Promise<number> {
  const clients = new Map<number, Client>();
  const sockets = new Map<number, Player>();
  for (const { connection } of turns) {
    if (clients.has(connection)) continue;
    const client = await open();
    clients.set(connection, client);
    sockets.set(connection, new Player((client as unknown as { connection: { stream: Socket } }).connection.stream));
  }
  const begun = performance.now();
  for (const { connection, bytes } of turns) await sockets.get(connection)?.play(bytes);
  const seconds = (performance.now() - begun) / 1000;
  for (const player of sockets.values()) player.close();
  return seconds;
}

/** A logged-in connection whose socket was taken from the library. What is refused was refused before, too: the caller compares what came of it. */
class Player {
  readonly #socket: Socket;
  readonly #messages = new Messages(false);
  #answered: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => {
      for (const { type } of this.#messages.take(chunk)) if (type === READY) this.#answered();
    });
  }

  play(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Cuts a stream into messages: `byte type | int32 length, itself included | body`; the first of a client has no type. */
class Messages {
  #rest: Buffer = Buffer.alloc(0);
  #untyped: boolean;

  constructor(untypedFirst: boolean) {
    this.#untyped = untypedFirst;
  }

  *take(chunk: Buffer): Generator<{ type: number; bytes: Buffer }> {
    const all = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const header = this.#untyped ? 0 : 1;
      if (all.length - at < header + 4) break;
      const end = at + header + all.readInt32BE(at + header);
      if (all.length < end) break;
      yield { type: this.#untyped ? 0 : (all[at] ?? 0), bytes: all.subarray(at, end) };
      this.#untyped = false;
      at = end;
    }
    this.#rest = Buffer.from(all.subarray(at));
  }
}
