import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressRanges, plainAddress } from './address-ranges.ts';

test('holds the addresses of its ranges, and no others', () => {
  const ranges = new AddressRanges(['10.0.0.0/8', '192.168.1.7', '2001:db8::/32', '::1', '0.0.0.0/32']);
  for (const address of ['10.0.0.0', '10.255.255.255', '192.168.1.7', '2001:db8:1::', '::1', '0.0.0.0'])
    assert.equal(ranges.contains(address), true, address);
  for (const address of ['11.0.0.0', '192.168.1.8', '2001:db9::', '::2', '127.0.0.1', '', 'x', '10.0.0', '10.0.0.1 '])
    assert.equal(ranges.contains(address), false, address);
});

test('an IPv4 address written as IPv6 is that IPv4 address, and a zone says nothing', () => {
  const ranges = new AddressRanges(['::ffff:10.1.0.0/16', 'fe80::/10']);
  assert.equal(ranges.contains('10.1.2.3'), true);
  assert.equal(ranges.contains('::ffff:10.1.2.3'), true);
  assert.equal(ranges.contains('fe80::1%eth0'), true);
  assert.equal(plainAddress('::FFFF:127.0.0.1'), '127.0.0.1');
});

test('what is no range is named', () => {
  for (const range of ['', 'x', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '::/129', '10.0.0/8', '10.0.0.0/8/8'])
    assert.throws(() => new AddressRanges([range]), RangeError, range);
});
