import { describe, expect, it } from 'vitest';
import { parseConfig } from './config.ts';

describe('the options', () => {
  it('may all be left out', () => {
    expect(parseConfig([])).toEqual({
      ...{ port: 7450, address: null, tls: null, metricsPort: 7451, metricsAddress: '127.0.0.1' },
      ...{ behindProxy: false, drainMs: 3_000, limits: {} },
    });
  });

  it('are read', () => {
    const words = '--port 0 --address ::1 --tls a.pem b.pem --behind-proxy --metrics-port 9 --drain-seconds 0.5 --max-mbit 50 --max-connections 7';
    expect(parseConfig(words.split(' '))).toMatchObject({
      ...{ port: 0, address: '::1', tls: { certFile: 'a.pem', keyFile: 'b.pem' }, behindProxy: true, metricsPort: 9, drainMs: 500 },
      limits: { sessionBitsPerS: 50_000_000, connections: 7 },
    });
    expect(parseConfig(['--no-metrics'])).toMatchObject({ metricsPort: null });
    expect(parseConfig(['--help'])).toBe('help');
  });

  it.each([
    ['--port x', '--port takes a number from 0 to 65535, not "x".'],
    ['--port 65536', '--port takes a number from 0 to 65535, not "65536".'],
    ['--port -1', "Option '--port' argument is ambiguous"],
    ['--tls a.pem', '--tls takes two files: the certificate chain and its private key.'],
    ['--tls a.pem b.pem c.pem', '"c.pem" is not an option.'],
    ['b.pem', '"b.pem" is not an option.'],
    ['--misroute', "Unknown option '--misroute'"],
  ])('%s is answered in words', (words, sentence) => {
    expect(() => parseConfig(words.split(' '))).toThrow(sentence);
  });
});
