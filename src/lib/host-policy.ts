import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { domainToASCII } from 'node:url';
import Type, { type Static } from 'typebox';
import { kindOfAddress } from './address-kind.ts';
import { CodedError } from './errors.ts';
import { withinTime } from './within-time.ts';

/**
 * Which hosts may be connected to that a user of the API named, so that the service is no way into a network that its
 * users do not reach themselves. Metadata services, link-local and zero addresses never are. Plain data: it travels to
 * the workers with the settings of a data source.
 */
export type HostPolicy = Static<typeof HostPolicySchema>;

const AllowOrDeny = Type.Union([Type.Literal('allow'), Type.Literal('deny')]);
export const HostPolicySchema = Type.Object({ private: AllowOrDeny, loopback: AllowOrDeny });

/** What the configuration starts from: databases are in private networks. */
export const DEFAULT_HOST_POLICY: HostPolicy = { private: 'allow', loopback: 'allow' };

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** What a name stands for now. Errors: the system's, such as ENOTFOUND. */
export type NameLookup = (name: string) => Promise<readonly ResolvedAddress[]>;

/** A host whose addresses were all looked at. */
export interface AllowedHost {
  /** At least one. */
  readonly addresses: readonly ResolvedAddress[];
  /**
   * For `lookup` of net.connect, tls.connect, http.request: answers with these addresses alone, so that no second answer
   * of a name server is connected to. A literal address they take as it is, and that one was looked at.
   */
  readonly lookup: LookupFunction;
}

/** The host may not be connected to. */
export class HostRefused extends CodedError {
  override readonly name = 'HostRefused';
}

const LOOKUP_TIMEOUT_MS = 10_000;

const lookupAll: NameLookup = async (name) =>
  (await systemLookup(name, { all: true })).map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));

/**
 * Resolves a host once, and refuses it if any of its addresses is one that may not be connected to. Call it for each
 * connection, also for one that is made anew, and connect with the `lookup` that it gives.
 * Errors: HostRefused (`Network.HostRefused`); the system's for a name that is not known.
 */
export async function resolveAllowed(
  host: string,
  policy: HostPolicy,
  lookup: NameLookup = lookupAll,
): Promise<AllowedHost> {
  const literal = literalAddress(host);
  const late = () => {
    const error = new Error(`the name ${host} was not resolved within ${LOOKUP_TIMEOUT_MS / 1000} s`);
    return Object.assign(error, { code: 'ETIMEDOUT' });
  };
  const addresses =
    literal === null ? await withinTime({ ms: LOOKUP_TIMEOUT_MS, late }, () => lookup(host)) : [literal];
  if (addresses.length === 0) throw Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' });
  for (const { address } of addresses) refuseForbidden(host, address, policy);
  return { addresses, lookup: fixedLookup(addresses) };
}

function refuseForbidden(host: string, address: string, policy: HostPolicy): void {
  const kind = kindOfAddress(address);
  if (kind === 'public') return;
  const what = host === address ? host : `${host} is ${address}, which`;
  if (kind === 'forbidden')
    throw new HostRefused(
      'Network.HostRefused',
      `${what} is a metadata, link-local or reserved address: it is never connected to`,
      { hint: 'Give the address of the server itself.' },
    );
  if (policy[kind] === 'allow') return;
  const setting = kind === 'private' ? 'networkPrivate' : 'networkLoopback';
  throw new HostRefused(
    'Network.HostRefused',
    `${what} is a ${kind} address, and the service is set not to connect to those`,
    { hint: `Give a public address, or set ${setting} to allow in the configuration of the service.` },
  );
}

/**
 * An address in whatever spelling the system's resolver takes: also `2130706433`, `0x7f.1`, `0177.0.0.1`, full-width
 * digits, brackets. Null for a name.
 */
function literalAddress(host: string): ResolvedAddress | null {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(bare);
  if (version === 4 || version === 6) return { address: bare, family: version };
  const address = looseIpv4(domainToASCII(bare).replace(/\.$/, ''));
  return address === null ? null : { address, family: 4 };
}

/** One to four numbers, decimal, octal or hexadecimal; the last fills what is left (inet_aton). */
function looseIpv4(text: string): string | null {
  const parts = text.split('.');
  if (parts.length > 4) return null;
  const numbers = parts.map(looseNumber);
  const last = numbers.pop() ?? NaN;
  const isOne = numbers.every((number) => number <= 255) && last < 256 ** (4 - numbers.length);
  if (!isOne) return null;
  const value = numbers.reduce((sum, number, index) => sum + number * 256 ** (3 - index), last);
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

function looseNumber(text: string): number {
  if (/^0x[0-9a-f]*$/i.test(text)) return text.length === 2 ? 0 : Number.parseInt(text, 16);
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9][0-9]*$/.test(text) ? Number(text) : NaN;
}

function fixedLookup(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_host, options, callback) => {
    const wanted =
      options.family === 4 || options.family === 'IPv4' ? 4 : options.family === 6 || options.family === 'IPv6' ? 6 : 0;
    const found = addresses.filter(({ family }) => wanted === 0 || family === wanted);
    const [first] = found;
    if (first === undefined)
      callback(Object.assign(new Error('no address of this family'), { code: 'ENOTFOUND' }), '', 0);
    else if (options.all === true)
      callback(
        null,
        found.map((each) => ({ ...each })),
      );
    else callback(null, first.address, first.family);
  };
}
