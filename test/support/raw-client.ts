import { connect, type Socket } from 'node:net';

/** An answer as it came. */
export interface RawAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const TIMEOUT_MS = 20_000;

/** Sends bytes as they are. One request at a time; the connection is kept as long as the server keeps it. */
export class RawClient {
  readonly #port: number;
  #socket: Socket | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends one whole request, and gives its answer; null when the connection was closed without one. */
  async ask(request: Buffer): Promise<RawAnswer | null> {
    const answers = await this.#exchange(request, false);
    return answers[0] ?? null;
  }

  /** Sends bytes and nothing more, and gives every answer that comes until the server closes. */
  async tell(bytes: Buffer): Promise<readonly RawAnswer[]> {
    this.close();
    const answers = await this.#exchange(bytes, true);
    this.close();
    return answers;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  #exchange(bytes: Buffer, ends: boolean): Promise<readonly RawAnswer[]> {
    const socket = this.#socket ?? connect({ port: this.#port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      let waiting: Buffer = Buffer.alloc(0);
      const answers: RawAnswer[] = [];
      const over = (closed: boolean) => {
        socket.removeAllListeners();
        socket.on('error', () => {});
        clearTimeout(timer);
        if (closed) this.close();
        resolve(answers);
      };
      const timer = setTimeout(() => {
        this.close();
        reject(new Error(`no answer, and no end, within ${TIMEOUT_MS / 1000} s`));
      }, TIMEOUT_MS);
      socket.on('data', (chunk: Buffer) => {
        waiting = Buffer.concat([waiting, chunk]);
        for (let read = readAnswer(waiting); read !== null; read = readAnswer(waiting)) {
          answers.push(read.answer);
          waiting = waiting.subarray(read.length);
          if (!ends) return over(read.answer.headers['connection'] === 'close');
        }
      });
      socket.on('end', () => over(true));
      socket.on('close', () => over(true));
      socket.on('error', () => over(true));
      if (ends) socket.end(bytes);
      else socket.write(bytes);
    });
  }
}

/** Null while it is not whole. */
function readAnswer(bytes: Buffer): { readonly answer: RawAnswer; readonly length: number } | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const pairs = lines.map((line) => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 2),
  ]);
  const headers = Object.fromEntries(pairs) as Record<string, string>;
  const length = end + 4 + Number(headers['content-length'] ?? 0);
  if (bytes.length < length) return null;
  return {
    answer: { status: Number(first.split(' ')[1]), headers, body: bytes.toString('utf8', end + 4, length) },
    length,
  };
}
