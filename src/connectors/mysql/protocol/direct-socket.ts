import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { PacketReader } from './packet-reader.ts';

const HANDSHAKE_BYTES = 16 * 1024;

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

  constructor(options: TcpNetConnectOpts) {
    this.socket = connect({
      ...options,
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
