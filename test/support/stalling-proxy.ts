import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/**
 * A network between a client and a server: it can fall silent, as one does whose other end is gone without a word. What is
 * open stays open then, and nothing comes through.
 */
export class StallingProxy {
  readonly port: number;
  /** Connections so far. */
  made = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #servers = new Set<Socket>();
  readonly #clients = new Map<Socket, { readonly server: Socket; first: Buffer }>();
  readonly #held = new Set<Socket>();
  #accepts = true;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** `port`: where it listens; any that is free without. */
  static async open(target: number, port = 0): Promise<StallingProxy> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const proxy = new StallingProxy(server, address.port);
    server.on('connection', (client) => proxy.#join(client, target));
    return proxy;
  }

  /** Connections that are open now fall silent; new ones come through, unless `alsoNew`. */
  stall({ alsoNew }: { readonly alsoNew: boolean }): void {
    this.#accepts = !alsoNew;
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  /** What the server says on connections that are open now gets lost; what it is told comes through. */
  loseAnswers(): void {
    for (const server of this.#servers) {
      server.unpipe();
      server.resume();
    }
  }

  /**
   * What clients say on connections that are open now waits for `deliver`, also when its client is gone by then; of those that
   * `isHeld` chooses by the first bytes that came through them.
   */
  hold(isHeld: (first: Buffer) => boolean = () => true): void {
    for (const [client, { first }] of this.#clients) {
      if (!isHeld(first)) continue;
      client.unpipe();
      client.pause();
      this.#held.add(client);
    }
  }

  /** What was held comes through, late. */
  deliver(): void {
    for (const client of this.#held) {
      const server = this.#clients.get(client)?.server;
      if (server !== undefined) client.pipe(server);
    }
    this.#held.clear();
  }

  /** New connections come through again; those that fell silent stay so. */
  heal(): void {
    this.#accepts = true;
  }

  /** Ends all connections; new ones come through. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Ends of connections that are open. */
  get open(): number {
    return this.#sockets.size;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket, target: number): void {
    this.made += 1;
    const server = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        if (this.#accepts) other.destroy();
      });
    }
    if (!this.#accepts) return;
    this.#servers.add(server);
    const connection = { server, first: Buffer.alloc(0) };
    this.#clients.set(client, connection);
    client.once('data', (chunk) => (connection.first = Buffer.from(chunk.subarray(0, 16))));
    server.on('close', () => this.#servers.delete(server));
    client.on('close', () => this.#clients.delete(client));
    client.pipe(server);
    server.pipe(client);
  }
}
