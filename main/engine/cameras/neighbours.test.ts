import { describe, expect, it } from 'vitest';
import { addressesAround, parseNeighbours, whereIs } from './neighbours.ts';

describe('the table of neighbours', () => {
  it('is read as Linux writes it', () => {
    const text = [
      'IP address       HW type     Flags       HW address            Mask     Device',
      '192.168.1.20     0x1         0x2         A4:14:37:0b:00:01     *        eth0',
      '192.168.1.21     0x1         0x0         00:00:00:00:00:00     *        eth0',
    ].join('\n');
    expect(parseNeighbours(text)).toEqual([{ host: '192.168.1.20', mac: 'a4:14:37:0b:00:01' }]);
    expect(parseNeighbours('10.0.0.2 dev eth0 lladdr a4:14:37:0b:00:01 STALE\n10.0.0.3 dev eth0  FAILED\n')).toEqual([{ host: '10.0.0.2', mac: 'a4:14:37:0b:00:01' }]);
  });
  it('is read as macOS and Windows write it', () => {
    expect(parseNeighbours('? (192.168.1.20) at a4:14:37:b:0:1 on en0 ifscope [ethernet]\n? (192.168.1.30) at (incomplete) on en0\n? (224.0.0.251) at 1:0:5e:0:0:fb on en0')).toEqual([{ host: '192.168.1.20', mac: 'a4:14:37:0b:00:01' }]);
    expect(parseNeighbours('\r\nInterface: 192.168.1.5 --- 0x4\r\n  Internet Address      Physical Address      Type\r\n  192.168.1.20          a4-14-37-0b-00-01     dynamic   \r\n  192.168.1.255         ff-ff-ff-ff-ff-ff     static    \r\n')).toEqual([{ host: '192.168.1.20', mac: 'a4:14:37:0b:00:01' }]);
  });
  it('tells where a device is now, unless it answers in several places', () => {
    const mac = 'a4:14:37:0b:00:01';
    const at = (host: string): { host: string; mac: string } => ({ host, mac });
    expect(whereIs(mac, '10.0.0.2', [at('10.0.0.2')])).toBeNull();
    expect(whereIs(mac, '10.0.0.2', [at('10.0.0.2'), at('10.0.0.3'), { host: '10.0.0.4', mac: 'a4:14:37:0b:00:02' }])).toBe('10.0.0.3');
    expect(whereIs(mac, '10.0.0.2', [at('10.0.0.3'), at('10.0.0.4')])).toBeNull();
  });
});

describe('the addresses asked', () => {
  it('are those of the own network, and few of a large one', () => {
    expect(addressesAround('192.168.1.5', '255.255.255.248')).toEqual(['192.168.1.1', '192.168.1.2', '192.168.1.3', '192.168.1.4', '192.168.1.6']);
    expect(addressesAround('10.1.2.3', '255.0.0.0')).toHaveLength(253);
    expect(addressesAround('10.1.2.3', '255.255.252.0')).toHaveLength(1021);
    expect(addressesAround('10.1.2.3', '255.255.255.255')).toEqual([]);
  });
});
