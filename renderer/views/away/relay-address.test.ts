import { describe, expect, it } from 'vitest';
import { relayAddressOf, relayName } from './relay-address.ts';

describe('the address of a relay', () => {
  it('is completed to what is kept', () => {
    expect(relayAddressOf(' relay.example.org ')).toEqual({ url: 'wss://relay.example.org' });
    expect(relayAddressOf('relay.example.org:8443/a/')).toEqual({ url: 'wss://relay.example.org:8443/a' });
    expect(relayAddressOf('https://Relay.Example.org/')).toEqual({ url: 'wss://relay.example.org' });
    expect(relayAddressOf('ws://127.0.0.1:8080')).toEqual({ url: 'ws://127.0.0.1:8080' });
    expect(relayName('wss://relay.example.org:8443/a')).toBe('relay.example.org:8443/a');
    // What is shown beside twelve words is typed on the other device.
    for (const url of ['wss://relay.example.org', 'ws://127.0.0.1:7450']) expect(relayAddressOf(relayName(url))).toEqual({ url });
  });

  it('is refused without TLS elsewhere, with a password, and where it is none', () => {
    for (const text of ['', 'ws://relay.example.org', 'http://relay.example.org', 'ftp://relay.example.org', 'wss://me:secret@relay.example.org', 'relay.example.org?a=1', 'wss://']) {
      expect(relayAddressOf(text), text).toHaveProperty('problem');
    }
  });
});
