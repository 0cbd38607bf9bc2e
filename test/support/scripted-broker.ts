import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Reader, Writer } from '@platformatic/kafka';

/**
 * What the broker does about a produce request: an error code for each partition of it, `null` leaves one out; or it hangs
 * up without a word, in the midst of its answer, answers with what nobody can read, or not at all.
 */
export type ProduceReply = ReadonlyMap<number, number | null> | 'hang up' | 'half' | 'garbage' | 'silence';

/** What it has not heard of yet. */
type Knowledge = 'no topics' | 'no partitions' | 'nothing';

const LEADER_NOT_AVAILABLE = 5;
const PRODUCE = 0;
const METADATA = 3;
const API_VERSIONS = 18;
const INIT_PRODUCER_ID = 22;
/** Of each request, the one version that it serves. */
const SERVED: readonly (readonly [key: number, version: number])[] = [
  [PRODUCE, 9],
  [METADATA, 9],
  [API_VERSIONS, 3],
  [INIT_PRODUCER_ID, 4],
];

/** A broker that leads one topic and answers produce requests by a script, for what a real one cannot be made to say. */
export class ScriptedBroker {
  readonly topic = 'scripted';
  /** Produce requests so far: the partitions of each, in its order. */
  readonly requests: number[][] = [];
  /** Where it tells clients that it is. */
  host = '127.0.0.1';
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #partitions: number;
  #script: readonly ProduceReply[] = [];
  #known: readonly Knowledge[] = [];

  private constructor(server: Server, partitions: number) {
    this.#server = server;
    this.#partitions = partitions;
  }

  static async start(partitions: number): Promise<ScriptedBroker> {
    const server = createServer();
    const broker = new ScriptedBroker(server, partitions);
    server.on('connection', (socket) => broker.#serve(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return broker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What it knows of its cluster for the next questions, one each; all of it after that. */
  knows(...script: readonly Knowledge[]): void {
    this.#known = script;
  }

  /** What it does about the next requests, one each; all partitions are written after that. */
  replies(...script: readonly ProduceReply[]): void {
    this.#script = script;
  }

  /** Whoever is still connected would keep the test's process. */
  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    let received = Buffer.alloc(0);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const end = 4 + received.readInt32BE(0);
        this.#answer(socket, Reader.from(received.subarray(4, end)));
        received = received.subarray(end);
      }
    });
  }

  #answer(socket: Socket, request: Reader): void {
    const key = request.readInt16();
    request.readInt16();
    const correlation = request.readInt32();
    request.readNullableString(false);
    request.readTaggedFields();
    const head = Writer.create().appendInt32(correlation);
    if (key === API_VERSIONS) send(socket, head.appendFrom(apiVersions()));
    else head.appendTaggedFields();
    if (key === METADATA) send(socket, head.appendFrom(this.#metadata()));
    if (key === INIT_PRODUCER_ID) send(socket, head.appendFrom(producerId()));
    if (key === PRODUCE) this.#produce(socket, head, request);
  }

  #produce(socket: Socket, head: Writer, request: Reader): void {
    const partitions = partitionsOf(request);
    this.requests.push(partitions);
    const [reply = new Map<number, number | null>(), ...later] = this.#script;
    this.#script = later;
    if (reply === 'silence') return;
    if (reply === 'hang up') {
      socket.destroy();
      return;
    }
    const codes = typeof reply === 'string' ? new Map<number, number | null>() : reply;
    const answered = partitions.filter((partition) => codes.get(partition) !== null);
    const answer = head.appendFrom(this.#produced(answered, codes));
    if (reply === 'half') socket.end(answer.prependLength().buffer.subarray(0, 20));
    else if (reply === 'garbage') send(socket, Writer.create().append(answer.buffer.subarray(0, 12)));
    else send(socket, answer);
  }

  #produced(partitions: readonly number[], codes: ReadonlyMap<number, number | null>): Writer {
    return Writer.create()
      .appendArray([this.topic], (w, topic) => {
        w.appendString(topic).appendArray([...partitions], (inner, partition) => {
          inner
            .appendInt32(partition)
            .appendInt16(codes.get(partition) ?? 0)
            .appendInt64(0n)
            .appendInt64(-1n)
            .appendInt64(0n)
            .appendArray([], () => {})
            .appendString(null);
        });
      })
      .appendInt32(0)
      .appendTaggedFields();
  }

  #metadata(): Writer {
    const [known = 'all', ...later] = this.#known;
    this.#known = later;
    const partitions = Array.from({ length: this.#partitions }, (_, partition) => partition);
    return Writer.create()
      .appendInt32(0)
      .appendArray(known === 'nothing' ? [] : [this.port], (w, port) =>
        w.appendInt32(1).appendString(this.host).appendInt32(port).appendString(null),
      )
      .appendString('cluster')
      .appendInt32(1)
      .appendArray(known === 'all' || known === 'no partitions' ? [this.topic] : [], (w, topic) => {
        w.appendInt16(known === 'all' ? 0 : LEADER_NOT_AVAILABLE)
          .appendString(topic)
          .appendBoolean(false)
          .appendArray(known === 'all' ? partitions : [], (inner, partition) => {
            inner.appendInt16(0).appendInt32(partition).appendInt32(1).appendInt32(0);
            for (const nodes of [[1], [1], []]) inner.appendArray(nodes, (n, node) => n.appendInt32(node), true, false);
          })
          .appendInt32(0);
      })
      .appendInt32(0)
      .appendTaggedFields();
  }
}

function apiVersions(): Writer {
  return Writer.create()
    .appendInt16(0)
    .appendArray([...SERVED], (w, [key, version]) => w.appendInt16(key).appendInt16(version).appendInt16(version))
    .appendInt32(0)
    .appendTaggedFields();
}

function producerId(): Writer {
  return Writer.create().appendInt32(0).appendInt16(0).appendInt64(7n).appendInt16(0).appendTaggedFields();
}

function partitionsOf(request: Reader): number[] {
  request.readNullableString();
  request.readInt16();
  request.readInt32();
  return request
    .readArray((r) => {
      r.readString();
      return r.readArray((p) => {
        const partition = p.readInt32();
        p.readBytes();
        return partition;
      });
    })
    .flat();
}

function send(socket: Socket, answer: Writer): void {
  socket.write(answer.prependLength().buffer);
}
