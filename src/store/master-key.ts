import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CodedError, type ErrorFacts } from '../lib/errors.ts';

const BYTES = 32;

/** The master key cannot be had, or is not the one that the store was written with. */
export class MasterKeyError extends CodedError {
  override readonly name = 'MasterKeyError';

  constructor(message: string, facts: ErrorFacts = {}) {
    super('Store.MasterKey', message, facts);
  }
}

/** Where the master key is. */
export interface MasterKeySource {
  /** The key itself: 32 bytes, hex or base64. */
  readonly masterKey: string | null;
  readonly masterKeyFile: string | null;
  /** The store's folder: without the other two, `master.key` beside it is used, and made at first start. */
  readonly folder: string;
}

/** The file that the key is read from; null when it was given itself. */
export function keyFileOf({ masterKey, masterKeyFile, folder }: MasterKeySource): string | null {
  return masterKey === null ? (masterKeyFile ?? join(dirname(folder), 'master.key')) : null;
}

/** `mayMake`: the store was never written with a key. Errors: MasterKeyError that says where it looked. */
export function readMasterKey(source: MasterKeySource, mayMake: boolean): Buffer {
  const file = keyFileOf(source);
  if (file === null) return decode(source.masterKey ?? '', 'DISYNC_MASTER_KEY');
  if (source.masterKeyFile !== null) return readKeyFile(file);
  try {
    return decode(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    if (mayMake) return makeKeyFile(file);
    throw new MasterKeyError(
      `the master key ${file} is missing, and the store was written with one: put it back, or give it by --master-key-file or DISYNC_MASTER_KEY`,
    );
  }
}

/** Tells keys apart without telling anything of them. */
export function fingerprintOf(key: Buffer): string {
  return createHash('sha256').update('disync master key').update(key).digest('hex').slice(0, 12);
}

export function readKeyFile(file: string): Buffer {
  return decode(readOrThrow(file), file);
}

function readOrThrow(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new MasterKeyError(`the master key file ${file} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Made once, readable by its owner only, and on disk before anything is sealed with it. */
export function makeKeyFile(file: string): Buffer {
  const key = randomBytes(BYTES);
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeSync(descriptor, `${key.toString('base64')}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  syncFolder(dirname(file));
  return key;
}

/** What was made or renamed in a folder is there after a power cut. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function decode(text: string, from: string): Buffer {
  const trimmed = text.trim();
  const key = /^[0-9a-f]{64}$/i.test(trimmed) ? Buffer.from(trimmed, 'hex') : Buffer.from(trimmed, 'base64');
  if (key.length !== BYTES)
    throw new MasterKeyError(`the master key from ${from} must be ${BYTES} bytes, as 64 hex digits or base64`);
  return key;
}
