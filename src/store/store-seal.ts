import { copyFileSync, existsSync, openSync, closeSync, fsyncSync, renameSync, chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { Seal } from '../lib/seal.ts';
import {
  fingerprintOf,
  keyFileOf,
  MasterKeyError,
  type MasterKeySource,
  readKeyFile,
  readMasterKey,
  syncFolder,
} from './master-key.ts';

/** The rows of the store that tell which key it is sealed with. */
export interface SealRecords {
  meta(key: string): string | undefined;
  setMeta(key: string, value: string): void;
}

/** A sealed word tells whether a key is the one that the store was written with. */
const CANARY = 'canary';
const FINGERPRINT = 'master key';

/** Where the new key of a rotation in place is until all is sealed with it. */
export function nextKeyFile(keyFile: string): string {
  return `${keyFile}.next`;
}

/**
 * The seal of a store, which is marked with it when it is new. A rotation that was cut off after everything was sealed anew is
 * finished here by who has the store to themselves (`mayFinish`).
 * Errors: MasterKeyError.
 */
export function openSeal(records: SealRecords, source: MasterKeySource, mayFinish: boolean): Seal {
  const isNew = records.meta(CANARY) === undefined;
  const key = readMasterKey(source, isNew);
  if (isNew) markSealed(records, key);
  if (opens(records, key)) return new Seal(key);
  const file = keyFileOf(source);
  const next = file === null ? null : readNext(file);
  if (file !== null && next !== null && opens(records, next)) {
    if (mayFinish) finishRotation(file);
    return new Seal(next);
  }
  throw new MasterKeyError(
    `the master key is not the one that this store was written with: its secrets cannot be read. ${describeKeys(records, key)}Give the former key.`,
  );
}

export function opens(records: SealRecords, key: Buffer): boolean {
  try {
    new Seal(key).open(Buffer.from(records.meta(CANARY) ?? '', 'base64'), CANARY);
    return true;
  } catch {
    return false;
  }
}

export function markSealed(records: SealRecords, key: Buffer): void {
  records.setMeta(CANARY, new Seal(key).close(CANARY, CANARY).toString('base64'));
  records.setMeta(FINGERPRINT, fingerprintOf(key));
}

/** The new key takes the place of the former, which stays beside it, for backups of the store. Gives its file. */
export function finishRotation(keyFile: string): string {
  const former = `${keyFile}.former-${fingerprintOf(readKeyFile(keyFile))}`;
  copyFileSync(keyFile, former);
  chmodSync(former, 0o600);
  const descriptor = openSync(former, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(nextKeyFile(keyFile), keyFile);
  syncFolder(dirname(keyFile));
  return former;
}

function readNext(keyFile: string): Buffer | null {
  const next = nextKeyFile(keyFile);
  return existsSync(next) ? readKeyFile(next) : null;
}

function describeKeys(records: SealRecords, key: Buffer): string {
  const sealed = records.meta(FINGERPRINT);
  return sealed === undefined ? '' : `It is sealed with the key ${sealed}, and ${fingerprintOf(key)} was given. `;
}
