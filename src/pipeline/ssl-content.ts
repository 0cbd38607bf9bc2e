import Type, { type Static } from 'typebox';
import { tlsOfJdbcUrl } from '../lib/jdbc-tls.ts';
import { isJsonObject } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import { SettingsError } from './connector.ts';

/** How a connection to a database is encrypted: off; encrypted but unproven; proven against `ca`; proven, and for this host name. */
export const SslSchema = Type.Object({
  mode: Type.Union([
    Type.Literal('disabled'),
    Type.Literal('required'),
    Type.Literal('verify-ca'),
    Type.Literal('verify-identity'),
  ]),
  /** PEM texts. */
  ca: Type.Optional(Type.String()),
  cert: Type.Optional(Type.String()),
  key: Type.Optional(Type.String()),
});
export type SslSettings = Static<typeof SslSchema>;

const MODES: Readonly<Record<string, SslSettings['mode']>> = {
  disabled: 'disabled',
  disable: 'disabled',
  preferred: 'required',
  required: 'required',
  require: 'required',
  'verify-ca': 'verify-ca',
  verify_ca: 'verify-ca',
  'verify-identity': 'verify-identity',
  verify_identity: 'verify-identity',
  'verify-full': 'verify-identity',
};

/** Of a `Content`: `ssl`, else what `jdbcUrl` asks for, else none. Errors: SettingsError naming the key. */
export function readSslOf({ ssl, jdbcUrl }: { readonly ssl?: Json; readonly jdbcUrl?: Json }): SslSettings {
  if (ssl === undefined)
    return { mode: typeof jdbcUrl === 'string' ? (tlsOfJdbcUrl(jdbcUrl) ?? 'disabled') : 'disabled' };
  if (ssl === null) return { mode: 'disabled' };
  if (!isJsonObject(ssl))
    throw new SettingsError('Content.ssl', 'Content.ssl must be an object: { mode, ca, cert, key }');
  const given = ssl['mode'] ?? 'verify-identity';
  const mode = typeof given === 'string' ? MODES[given.toLowerCase()] : undefined;
  if (mode === undefined)
    throw new SettingsError(
      'Content.ssl.mode',
      'Content.ssl.mode must be disabled, required, verify-ca or verify-identity',
    );
  const pem = (name: string) => (typeof ssl[name] === 'string' ? { [name]: ssl[name] } : {});
  return { mode, ...pem('ca'), ...pem('cert'), ...pem('key') };
}
