import { BlockList, isIP } from 'node:net';

/** Sets of IP addresses, such as `10.0.0.0/8`, `2001:db8::/32` or a single one. */
export class AddressRanges {
  readonly #list = new BlockList();

  /** Errors: RangeError naming the range that is none. */
  constructor(ranges: readonly string[]) {
    for (const range of ranges) this.#add(range);
  }

  /** False for what is no address. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is that IPv4 address. */
  contains(address: string): boolean {
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && this.#list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  }

  #add(range: string): void {
    const slash = range.indexOf('/');
    const address = plainAddress(slash === -1 ? range : range.slice(0, slash));
    const version = isIP(address);
    const bits = version === 4 ? 32 : 128;
    const prefix = slash === -1 ? String(bits) : range.slice(slash + 1);
    if (version === 0 || !/^(?:0|[1-9]\d{0,2})$/.test(prefix) || Number(prefix) > bits)
      throw new RangeError(`${JSON.stringify(range)} is no address and no range such as 10.0.0.0/8`);
    this.#list.addSubnet(address, Number(prefix), version === 4 ? 'ipv4' : 'ipv6');
  }
}

/** As sockets tell it, without zone and without the prefix of an IPv4 address in IPv6. */
export function plainAddress(address: string): string {
  const [bare = ''] = address.split('%', 1);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  return mapped ?? bare;
}
