import { describe, expect, it } from 'vitest';
import { addressKey, Addresses, forwardedAddress } from './addresses.ts';
import { LIMITS } from './limits.ts';

describe('an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2/64'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2/64'],
    ['2001:db8::1', '2001:db8:0:0/64'],
    ['2001:db8:1:2::', '2001:db8:1:2/64'],
    ['::1', '0:0:0:0/64'],
    ['fe80::1%eth0', 'fe80:0:0:0/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0/64'],
    ['2001:DB8:A:B:c::', '2001:db8:a:b/64'],
    ['not an address', 'not an address'],
  ])('%s counts as %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });

  it('behind a balancer is the one the balancer appended', () => {
    expect(forwardedAddress('10.0.0.1, 192.0.2.7')).toBe('192.0.2.7');
    expect(forwardedAddress(['10.0.0.1', '192.0.2.8'])).toBe('192.0.2.8');
    expect(forwardedAddress(undefined)).toBeNull();
    expect(forwardedAddress('x'.repeat(500))).toBeNull();
  });
});

describe('the connections of an address', () => {
  const limits = { ...LIMITS, connectsPerAddressPerS: 2, connectionsPerAddress: 5 };

  it('are limited in rate, each address for itself', () => {
    const addresses = new Addresses(limits);
    expect(Array.from({ length: 5 }, () => addresses.enter('a', 0))).toEqual([null, null, null, null, 'address-rate']);
    expect(addresses.enter('b', 0)).toBeNull();
    expect(addresses.enter('a', 500)).toBeNull();
  });

  it('are limited in number, and a place comes free', () => {
    const addresses = new Addresses(limits);
    const got = Array.from({ length: 6 }, (_, second) => addresses.enter('a', second * 1000));
    expect(got).toEqual([null, null, null, null, null, 'address-open']);
    addresses.leave('a');
    expect(addresses.enter('a', 10_000)).toBeNull();
  });

  it('are forgotten when they are over', () => {
    const addresses = new Addresses(limits);
    for (let each = 0; each < 1000; each += 1) addresses.enter(`${each}`, 0);
    for (let each = 1; each < 1000; each += 1) addresses.leave(`${each}`);
    addresses.forget(100);
    expect(addresses.size).toBe(1000);
    addresses.forget(5_000);
    expect(addresses.size).toBe(1);
  });
});
