import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

const LOCAL_FILES = 0x80;
const COM_QUERY = 0x03;
/** As a server says that it can take files, and wants TLS from nobody. */
const CAPABILITIES = 0x0008f7df & ~0x800;
const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);

/** A MySQL server that lets everyone in, and answers a statement by asking for a file of the client. */
export class RogueMysql {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The statement that it answers so; others are OK. */
  readonly #statement: RegExp;
  readonly #file: string;
  /** What clients sent after it had asked. */
  received = '';
  /** How often it has asked. */
  asked = 0;
  /** Clients that offered LOCAL INFILE. */
  offers = 0;

  private constructor(server: Server, statement: RegExp, file: string) {
    this.#server = server;
    this.#statement = statement;
    this.#file = file;
  }

  static async start(statement: RegExp, file: string): Promise<RogueMysql> {
    const server = createServer();
    const rogue = new RogueMysql(server, statement, file);
    server.on('connection', (socket) => rogue.#serve(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return rogue;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    let isIn = false;
    let hasAsked = false;
    socket.write(packet(0, greeting()));
    socket.on('data', (chunk) => {
      if (hasAsked) {
        this.received += chunk.toString('latin1');
        socket.write(packet(3, OK));
      } else if (!isIn) {
        isIn = true;
        if ((chunk.readUInt32LE(4) & LOCAL_FILES) !== 0) this.offers += 1;
        socket.write(packet((chunk[3] ?? 0) + 1, OK));
      } else if (chunk[4] === COM_QUERY && this.#statement.test(chunk.toString('utf8', 5))) {
        hasAsked = true;
        this.asked += 1;
        socket.write(packet(1, Buffer.concat([Buffer.from([0xfb]), Buffer.from(this.#file)])));
      } else socket.write(packet(1, OK));
    });
  }
}

/** [ length 3 ][ number 1 ][ body ] */
function packet(number: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(body.length, 0, 3);
  head[3] = number;
  return Buffer.concat([head, body]);
}

/** Protocol 10: version, connection id, challenge, capabilities, character set, status, way to authenticate. */
function greeting(): Buffer {
  const numbers = Buffer.alloc(8);
  numbers.writeUInt16LE(CAPABILITIES & 0xffff, 0);
  numbers[2] = 45;
  numbers.writeUInt16LE(2, 3);
  numbers.writeUInt16LE(CAPABILITIES >>> 16, 5);
  numbers[7] = 21;
  const text = (value: string) => Buffer.from(`${value}\0`);
  return Buffer.concat([
    Buffer.from([10]),
    text('8.0.36'),
    Buffer.from([1, 0, 0, 0]),
    text('abcdefgh'),
    numbers,
    Buffer.alloc(10),
    text('ijklmnopqrst'),
    text('mysql_native_password'),
  ]);
}
