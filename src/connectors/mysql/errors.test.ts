import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MysqlServerError, toPipelineError } from './errors.ts';

const LOG_ERROR = 1236;

/** What an error comes to: kind, code, and how its hint begins. */
function met(error: unknown): string {
  const { kind, code, hint } = toPipelineError(error, 'reading the binary log');
  return `${kind} ${code}: ${hint?.split(/[,:;]/)[0]}`;
}

test('an error of the server is told by its number, also where the library gave it a code that begins as the system’s do', () => {
  const byLibrary = (errno: number, code: string) => Object.assign(new Error('text'), { errno, code });
  assert.deepEqual(
    [
      met(byLibrary(1045, 'ER_ACCESS_DENIED_ERROR')),
      met(byLibrary(1130, 'ER_HOST_NOT_PRIVILEGED')),
      met(byLibrary(3159, 'ER_SECURE_TRANSPORT_REQUIRED')),
      met(byLibrary(1040, 'ER_CON_COUNT_ERROR')),
      met(byLibrary(-111, 'ECONNREFUSED')),
      met(new MysqlServerError(1227, 'text')),
    ],
    [
      'fatal MySQL.Denied: Grant the account SELECT on the tables',
      'fatal MySQL.Denied: Grant the account SELECT on the tables',
      'fatal MySQL.TlsFailed: Give the data source "ssl"',
      'transient MySQL.Unavailable: See whether the server listens there',
      'transient MySQL.Unavailable: See whether the server listens there',
      'fatal MySQL.Denied: Grant the account SELECT on the tables',
    ],
  );
});

test('the one number for errors of the log is told apart by its text: none is tried again without end (C30)', () => {
  // As MariaDB 10.11 and MySQL 9.7 write them.
  const texts = [
    'log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source; the first event',
    'Could not find first log file name in binary log index file',
    'A replica with the same server_uuid/server_id as this replica has connected to the source; the first event',
    'A slave with the same server_uuid as this slave has connected to the master',
  ];
  assert.deepEqual(
    texts.map((text) => met(new MysqlServerError(LOG_ERROR, text))),
    [
      'fatal MySQL.BinlogUnreadable: Either the log is damaged at this place',
      'fatal MySQL.BinlogUnreadable: Start the task with a new load',
      'transient MySQL.Unavailable: See whether the server listens there',
      'transient MySQL.Unavailable: See whether the server listens there',
    ],
  );
});

test('a failed TLS handshake waits for someone to act, one that was cut off does not', () => {
  const handshake = (message: string) =>
    Object.assign(new Error(message), { code: 'HANDSHAKE_SSL_ERROR', fatal: true });
  assert.deepEqual(
    [
      met(handshake('self-signed certificate in certificate chain')),
      met(handshake('read ECONNRESET')),
      met(handshake('Client network socket disconnected before secure TLS connection was established')),
    ],
    [
      'fatal MySQL.TlsFailed: Give the data source the certificate of the server’s authority ("ssl"',
      'transient MySQL.Unavailable: See whether the server listens there',
      'transient MySQL.Unavailable: See whether the server listens there',
    ],
  );
});
