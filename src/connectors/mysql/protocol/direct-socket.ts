import { connect, type Socket } from 'node:net';
import type { PacketReader } from './packet-reader.ts';

const HANDSHAKE_BYTES = 16 * 1024;
const KEEP_ALIVE_MS = 30_000;

/**
 * A TCP socket that reads without making chunks: first, while a library authenticates, it tells its bytes as ordinary
 * `data` events; from `readTo` on they are read straight into the buffers of a PacketReader.
 * Not for TLS, whose bytes come out of OpenSSL as chunks.
 */
export class DirectSocket {
  readonly socket: Socket;
  readonly #handshake = Buffer.allocUnsafeSlow(HANDSHAKE_BYTES);
  #reader: PacketReader | null = null;
  /** The bytes that are read next go to the reader's own space. */
  #isDirect = false;

  constructor(host: string, port: number) {
    this.socket = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      onread: { buffer: () => this.#space(), callback: (bytes, buffer) => this.#wrote(bytes, buffer) },
    });
  }

  readTo(reader: PacketReader): void {
    this.#reader = reader;
  }

  /** Asked for behind each read: where the next one goes cannot be changed in between. */
  #space(): Uint8Array {
    this.#isDirect = this.#reader !== null;
    return this.#reader?.space() ?? this.#handshake;
  }

  #wrote(bytes: number, buffer: Uint8Array): boolean {
    if (this.#reader !== null && this.#isDirect) return this.#reader.wrote(bytes);
    this.socket.emit('data', Buffer.from(buffer.subarray(0, bytes)));
    return true;
  }
}
