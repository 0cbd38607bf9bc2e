/**
 * How a JDBC URL asks for TLS: `sslMode` (MySQL), `sslmode` (PostgreSQL), or the older `useSSL`, `requireSSL`, `ssl`. Null
 * where it asks for none, or only for what the server happens to offer. Whoever asks without a word on proof has it proven.
 */
export function tlsOfJdbcUrl(url: string): 'required' | 'verify-ca' | 'verify-identity' | null {
  const [, settings = ''] = url.split('?', 2);
  const given = new Map(
    settings.split(/[&;]/).map((pair) => {
      const [name = '', value = ''] = pair.split('=', 2);
      return [name.trim().toLowerCase(), value.trim().toLowerCase()];
    }),
  );
  const mode = MODES[(given.get('sslmode') ?? '').replace('_', '-')];
  if (mode !== undefined) return mode;
  if (given.has('sslmode')) return null;
  const isAsked = ['usessl', 'requiressl', 'ssl'].some((name) => given.get(name) === 'true');
  if (!isAsked) return null;
  return given.get('verifyservercertificate') === 'false' ? 'required' : 'verify-identity';
}

const MODES: Readonly<Record<string, 'required' | 'verify-ca' | 'verify-identity'>> = {
  required: 'required',
  require: 'required',
  'verify-ca': 'verify-ca',
  'verify-identity': 'verify-identity',
  'verify-full': 'verify-identity',
};
