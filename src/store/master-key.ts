import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

const BYTES = 32;

/** The master key cannot be had, or is not the one that the store was written with. */
export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError';
}

export interface MasterKeySource {
  /** The key itself: 32 bytes, hex or base64. */
  readonly key: string | null;
  readonly file: string | null;
  /** The store's folder: without the other two, `master.key` beside it is used, and made at first start. */
  readonly storeFolder: string;
  /** The store was never written with a key: one may be made. */
  readonly mayMake: boolean;
}

/** Errors: MasterKeyError that says where it looked. */
export function readMasterKey({ key, file, storeFolder, mayMake }: MasterKeySource): Buffer {
  if (key !== null) return decode(key, 'DISYNC_MASTER_KEY');
  if (file !== null) return decode(readOrThrow(file), file);
  const own = join(dirname(storeFolder), 'master.key');
  try {
    return decode(readFileSync(own, 'utf8'), own);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    if (mayMake) return make(own);
    throw new MasterKeyError(
      `the master key ${own} is missing, and the store was written with one: put it back, or give it by --master-key-file or DISYNC_MASTER_KEY`,
    );
  }
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
function make(file: string): Buffer {
  const key = randomBytes(BYTES);
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeSync(descriptor, `${key.toString('base64')}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  return key;
}

function decode(text: string, from: string): Buffer {
  const trimmed = text.trim();
  const key = /^[0-9a-f]{64}$/i.test(trimmed) ? Buffer.from(trimmed, 'hex') : Buffer.from(trimmed, 'base64');
  if (key.length !== BYTES)
    throw new MasterKeyError(`the master key from ${from} must be ${BYTES} bytes, as 64 hex digits or base64`);
  return key;
}
