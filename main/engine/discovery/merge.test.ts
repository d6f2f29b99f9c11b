import { describe, expect, it } from 'vitest';
import { describeScopes, mergeAnswers, orderAddresses } from './merge.ts';
import { searchInterfaces } from './interfaces.ts';
import { searchHint } from './searcher.ts';
import type { DiscoveryAnswer } from './ws-discovery.ts';

const answer = (endpoint: string, senderHost: string, addresses: readonly string[] = [], scopes: readonly string[] = []): DiscoveryAnswer => ({
  device: { endpoint, isOnvif: true, scopes, addresses },
  senderHost,
  via: { name: 'eth0', address: '192.168.1.2', netmask: '255.255.255.0' },
});

describe('merging answers', () => {
  it('makes one entry of several answers of a camera, with all its addresses', () => {
    const found = mergeAnswers([answer('a', '192.168.1.9', ['http://192.168.1.9/o']), answer('a', '192.168.1.9', ['https://192.168.1.9/o'], ['onvif://www.onvif.org/hardware/X'])]);
    expect(found).toMatchObject([{ key: 'a|192.168.1.9', host: '192.168.1.9', deviceUrls: ['http://192.168.1.9/o', 'https://192.168.1.9/o'], model: 'X' }]);
  });

  it('keeps the same endpoint at two hosts apart', () => {
    expect(mergeAnswers([answer('a', '192.168.1.10'), answer('a', '192.168.1.9')]).map((one) => one.host)).toEqual(['192.168.1.9', '192.168.1.10']);
  });

  it('a flood of devices ends at a bound', () => {
    expect(mergeAnswers(Array.from({ length: 3000 }, (_unused, index) => answer(`e${index}`, '192.168.1.9')))).toHaveLength(1024);
  });
});

describe('addresses in order', () => {
  const order = (...addresses: readonly string[]): string[] => orderAddresses(addresses, '192.168.1.9', '192.168.1.2', '255.255.255.0');
  it('sender, its subnet, the sender put in a foreign address, other IPv4, names, IPv6, link-local', () => {
    expect(order('http://169.254.1.1/a', 'http://[fd00::1]/a', 'http://cam.lan/a', 'http://10.0.0.1/a', 'http://192.168.1.77/a')).toEqual([
      'http://192.168.1.77/a',
      'http://192.168.1.9/a',
      'http://10.0.0.1/a',
      'http://cam.lan/a',
      'http://[fd00::1]/a',
      'http://169.254.1.1/a',
    ]);
    expect(order('http://10.0.0.1/a', 'http://192.168.1.9:8000/b')).toEqual(['http://192.168.1.9:8000/b', 'http://10.0.0.1/a']);
  });
  it('passwords, other schemes and nonsense are dropped', () => {
    expect(order('http://u:p@192.168.1.9/a', 'javascript:alert(1)', 'file:///etc/passwd', `http://${'x'.repeat(600)}`)).toEqual(['http://192.168.1.9/a']);
  });
});

describe('addresses that name nobody', () => {
  const order = (...addresses: readonly string[]): string[] => orderAddresses(addresses, '192.168.1.9', '192.168.1.2', '255.255.255.0');
  it('are at whoever sent them, with their port and path', () => {
    for (const text of ['http://0.0.0.0:8000/onvif/x', 'http://127.0.0.1:8000/onvif/x', 'http://localhost:8000/onvif/x', 'http://[::]:8000/onvif/x', 'http://:8000/onvif/x', '192.168.1.9:8000/onvif/x']) {
      expect(order(text), text).toEqual(['http://192.168.1.9:8000/onvif/x']);
    }
    expect(order('http:///onvif/x')).toEqual(['http://192.168.1.9/onvif/x']);
    expect(order('/onvif/x')).toEqual(['http://192.168.1.9/onvif/x']);
    expect(orderAddresses(['http://127.0.0.3:8000/x'], '127.0.0.3', '127.0.0.1', '255.0.0.0')).toEqual(['http://127.0.0.3:8000/x']);
  });
});

describe('scopes', () => {
  it('give maker and model in readable words', () => {
    expect(describeScopes(['onvif://www.onvif.org/name/HIKVISION%20DS-2CD2043', 'onvif://www.onvif.org/hardware/DS-2CD2043'])).toEqual({ maker: 'HIKVISION', model: 'DS-2CD2043' });
    expect(describeScopes(['onvif://www.onvif.org/name/Yi%20Hack', 'onvif://www.onvif.org/hardware/Yi'])).toEqual({ maker: 'Yi Hack', model: 'Yi' });
    expect(describeScopes(['onvif://www.onvif.org/name/Front_porch'])).toEqual({ maker: 'Front porch', model: '' });
    expect(describeScopes(['onvif://www.onvif.org/name/bad%ZZ\u202Etxt', 'junk'])).toEqual({ maker: 'bad%ZZ txt', model: '' });
  });
});

describe('which interfaces', () => {
  const system = {
    lo: [{ address: '127.0.0.1', netmask: '255.0.0.0', family: 'IPv4', internal: true, mac: '', cidr: null }],
    eth0: [
      { address: '192.168.1.2', netmask: '255.255.255.0', family: 'IPv4', internal: false, mac: '', cidr: null },
      { address: 'fe80::1', netmask: '', family: 'IPv6', internal: false, mac: '', cidr: null, scopeid: 2 },
    ],
    docker0: [{ address: '172.17.0.1', netmask: '255.255.0.0', family: 'IPv4', internal: false, mac: '', cidr: null }],
  } as Parameters<typeof searchInterfaces>[1];
  it('every one but internal ones, or the wanted', () => {
    expect(searchInterfaces([], system).map((one) => one.name)).toEqual(['eth0', 'docker0']);
    expect(searchInterfaces(['127.0.0.1', '10.0.0.9'], system).map((one) => one.name)).toEqual(['lo', '10.0.0.9']);
  });
});

describe('a hint when nothing was found', () => {
  const report = (failure: string | null): Parameters<typeof searchHint>[1][number] => ({ name: 'en0', address: '192.168.1.2', netmask: '', failure });
  it('names macOS\'s permission only there and only then', () => {
    expect(searchHint(0, [report('EHOSTUNREACH')], 'darwin')).toMatch(/Local Network/);
    expect(searchHint(1, [report('EHOSTUNREACH')], 'darwin')).toBeNull();
    expect(searchHint(0, [report(null)], 'darwin')).toBeNull();
    expect(searchHint(0, [report('EHOSTUNREACH')], 'linux')).toMatch(/could not be sent/);
    expect(searchHint(0, [], 'linux')).toMatch(/not connected/);
  });
});
