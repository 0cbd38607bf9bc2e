import { isIP } from 'node:net';
import { AddressRanges } from './address-ranges.ts';

/**
 * What an address is to a service that connects to hosts which its users name. `forbidden` is never connected to: metadata
 * services of clouds, link-local and "this host" addresses, groups and what nobody may have.
 */
export type AddressKind = 'public' | 'private' | 'loopback' | 'forbidden';

const FORBIDDEN = new AddressRanges([
  '0.0.0.0/8',
  '169.254.0.0/16',
  '100.100.100.200/32', // metadata of Alibaba Cloud
  '168.63.129.16/32', // Azure's own of every virtual machine
  '192.0.0.0/24', // among them Oracle Cloud's metadata
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  'fe80::/10',
  'ff00::/8',
  'fd00:ec2::/32', // metadata of AWS
  'fd20:ce::254/128', // and of Google
  'fd00:42::42/128', // and of Scaleway
  '100::/64',
]);
const LOOPBACK = new AddressRanges(['127.0.0.0/8', '::1/128']);
const PRIVATE = new AddressRanges([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '198.18.0.0/15',
  'fc00::/7',
  'fec0::/10',
]);

/** `address` is an IPv4 or IPv6 address in its usual spelling. An IPv4 address inside of an IPv6 one decides. */
export function kindOfAddress(address: string): AddressKind {
  const [bare = ''] = address.split('%', 1);
  const version = isIP(bare);
  if (version === 0) throw new TypeError('not an IP address');
  // Before what is embedded: ::1 has the form of an IPv4 address in IPv6.
  if (LOOPBACK.contains(bare)) return 'loopback';
  if (FORBIDDEN.contains(bare)) return 'forbidden';
  const inner = version === 6 ? embeddedIpv4(bare) : null;
  if (inner !== null) return kindOfAddress(inner);
  return PRIVATE.contains(bare) ? 'private' : 'public';
}

/**
 * The IPv4 address that an IPv6 one leads to: mapped (::ffff:0:0/96), translated (::ffff:0:0:0/96), compatible (::/96),
 * NAT64 (64:ff9b::/96 and 64:ff9b:1::/48), ISATAP (…:5efe:a.b.c.d), 6to4 (2002::/16), Teredo (2001::/32, inverted).
 */
function embeddedIpv4(address: string): string | null {
  const words = wordsOf(address);
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0, w4 = 0, w5 = 0, w6 = 0, w7 = 0] = words;
  const startsWithZeros = w0 === 0 && w1 === 0 && w2 === 0 && w3 === 0;
  if (startsWithZeros && w4 === 0 && (w5 === 0xffff || w5 === 0)) return ipv4Of(w6, w7);
  if (startsWithZeros && w4 === 0xffff && w5 === 0) return ipv4Of(w6, w7);
  if (w0 === 0x64 && w1 === 0xff9b) return ipv4Of(w6, w7);
  if ((w4 & 0xfdff) === 0 && w5 === 0x5efe) return ipv4Of(w6, w7);
  if (w0 === 0x2002) return ipv4Of(w1, w2);
  if (w0 === 0x2001 && w1 === 0) return ipv4Of(w6 ^ 0xffff, w7 ^ 0xffff);
  return null;
}

/** The eight 16-bit words of an IPv6 address. */
function wordsOf(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const [, start = '', a, b, c, d] = dotted ?? [];
  const text =
    dotted === null
      ? address
      : `${start}${(Number(a) * 256 + Number(b)).toString(16)}:${(Number(c) * 256 + Number(d)).toString(16)}`;
  const [head = '', tail] = text.split('::', 2);
  const words = (part: string) => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)));
  if (tail === undefined) return words(head);
  const [before, after] = [words(head), words(tail)];
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

function ipv4Of(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
