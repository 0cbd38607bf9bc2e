import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { Connection, type ConnectionOptions, NetworkError, TimeoutError } from '@platformatic/kafka';
import { resolveAllowed } from '../../../lib/host-policy.ts';
import type { KafkaSettings } from '../settings.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ConnectionsOptions {
  readonly clientId: string;
  /** A broker that does not answer for so long is given up: its connection is cut. */
  readonly requestTimeoutMs: number;
  readonly inFlightMax: number;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** One connection to each broker that is talked to, made when it is first needed and made anew after it broke. */
export class Connections {
  readonly #settings: KafkaSettings;
  readonly #clientId: string;
  readonly #options: ConnectionOptions;
  readonly #open = new Map<string, Promise<Connection>>();
  readonly #all = new Set<Connection>();
  readonly #reasons = new WeakMap<Connection, Error>();
  #closed = false;

  constructor(settings: KafkaSettings, { clientId, requestTimeoutMs, inFlightMax }: ConnectionsOptions) {
    this.#settings = settings;
    this.#clientId = clientId;
    this.#options = {
      connectTimeout: Math.min(CONNECT_TIMEOUT_MS, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      maxInflights: inFlightMax,
      ...(settings.sasl === null ? {} : { sasl: settings.sasl }),
    };
  }

  /** Asks a broker. Errors: the library's, for `toKafkaError`. */
  async use<T>(address: Address, request: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#to(address);
    try {
      return await request(connection);
    } catch (error) {
      // The library says that the connection was closed, and tells only those who listen why.
      const reason = error instanceof NetworkError ? this.#reasons.get(connection) : undefined;
      throw reason ?? error;
    }
  }

  async #to(address: Address): Promise<Connection> {
    const name = `${address.host}:${address.port}`;
    const known = this.#open.get(name);
    if (known !== undefined) {
      const connection = await known;
      if (connection.isConnected()) return connection;
      // Two may find it so at once: the second finds what the first began.
      if (this.#open.get(name) === known) this.#retire(name, connection);
      return this.#to(address);
    }
    const connecting = this.#connect(address);
    this.#open.set(name, connecting);
    try {
      return await connecting;
    } catch (error) {
      if (this.#open.get(name) === connecting) this.#open.delete(name);
      throw error;
    }
  }

  /**
   * Another one takes its place. A broker that wants a new login now and then takes no request in the midst of one: what is
   * on its way there still has the time that it had.
   */
  #retire(name: string, connection: Connection): void {
    this.#open.delete(name);
    setTimeout(() => connection.socket.destroy(), this.#options.requestTimeout).unref();
  }

  /** Cuts all of them, at once: whoever waits for an answer gets an error. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#all) {
      // It waits for what is still to be written; without it, nobody hears that a connection ends which is being made.
      void connection.close();
      connection.socket?.destroy();
    }
    this.#all.clear();
    this.#open.clear();
  }

  /** Brokers are named by brokers, too: each name is resolved and looked at, each time that it is connected to. */
  async #connect({ host, port }: Address): Promise<Connection> {
    const { addresses } = await resolveAllowed(host, this.#settings.hosts);
    let last: unknown;
    for (const { address } of addresses) {
      try {
        return await this.#connectTo(address, port, host);
      } catch (error) {
        if (!(error instanceof NetworkError || error instanceof TimeoutError)) throw error;
        last = error;
      }
    }
    throw last;
  }

  async #connectTo(address: string, port: number, host: string): Promise<Connection> {
    if (this.#closed) throw new Error('the connections are closed');
    const connection = new Connection(this.#clientId, { ...this.#options, ...this.#tls(address, host) });
    connection.on('error', (error) => this.#reasons.set(connection, error));
    this.#all.add(connection);
    try {
      await connection.connect(address, port);
    } catch (error) {
      connection.socket?.destroy();
      this.#all.delete(connection);
      throw error;
    }
    connection.once('close', () => this.#all.delete(connection));
    if (this.#closed) connection.socket.destroy();
    return connection;
  }

  #tls(address: string, host: string): Pick<ConnectionOptions, 'tls'> {
    const { ssl } = this.#settings;
    if (ssl === null) return {};
    const { mode, ca, cert, key } = ssl;
    return {
      tls: {
        host: address,
        ...(isIP(host) === 0 ? { servername: host } : {}),
        rejectUnauthorized: mode !== 'required',
        checkServerIdentity: (_: string, certificate: PeerCertificate) =>
          mode === 'verify-identity' ? checkServerIdentity(host, certificate) : undefined,
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      },
    };
  }
}
