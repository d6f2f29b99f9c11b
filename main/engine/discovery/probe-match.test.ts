import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDiscoveryMessage } from './probe-match.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const reply = '<e:Envelope xmlns:e="x" xmlns:w="y" xmlns:d="z" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header><w:RelatesTo>urn:uuid:AA-1</w:RelatesTo></e:Header><e:Body><d:ProbeMatches><d:ProbeMatch><w:EndpointReference><w:Address>urn:uuid:BB-2</w:Address></w:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://a onvif://b</d:Scopes><d:XAddrs> http://1.2.3.4/x </d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>';

describe('a datagram', () => {
  it('is read, its ids without prefixes', () => {
    expect(parseDiscoveryMessage(bytes(reply))).toEqual({ kind: 'probe-matches', relatesTo: 'aa-1', devices: [{ endpoint: 'bb-2', isOnvif: true, scopes: ['onvif://a', 'onvif://b'], addresses: ['http://1.2.3.4/x'] }] });
  });

  it('may have blanks in its scopes', () => {
    const scopes = 'onvif://www.onvif.org/name/Wyze Cam V3\n onvif://www.onvif.org/hardware/Thingino';
    expect(parseDiscoveryMessage(bytes(reply.replace('onvif://a onvif://b', scopes)))?.devices[0]?.scopes).toEqual(['onvif://www.onvif.org/name/Wyze Cam V3', 'onvif://www.onvif.org/hardware/Thingino']);
  });

  it('of random bytes never throws', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (noise) => void parseDiscoveryMessage(noise)));
  });

  it('with any part replaced, repeated or cut never throws', () => {
    fc.assert(
      fc.property(fc.nat(reply.length), fc.nat(200), fc.string({ maxLength: 40 }), (at, length, noise) => {
        const found = parseDiscoveryMessage(bytes(reply.slice(0, at) + noise + reply.slice(at + length)));
        expect(found === null || Array.isArray(found.devices)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('with a DTD is not read at all, so no entity is ever expanded', () => {
    const bomb = '<!DOCTYPE x [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>';
    expect(parseDiscoveryMessage(bytes(bomb + reply.replace('BB-2', '&c;')))).toBeNull();
  });

  it('that names a prototype harms nothing', () => {
    expect(parseDiscoveryMessage(bytes('<Envelope><Body><__proto__>1</__proto__><constructor/><ProbeMatches/></Body></Envelope>'))?.devices ?? []).toEqual([]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('in UTF-16 or Latin-1 is read', () => {
    expect(parseDiscoveryMessage(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(reply, 'utf16le')]))?.relatesTo).toBe('aa-1');
    expect(parseDiscoveryMessage(Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${reply.replace('onvif://a', 'onvif://ä')}`, 'latin1'))?.devices[0]?.scopes[0]).toBe('onvif://ä');
  });
});
