import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromBase64url, toBase64url } from './bytes.ts';
import { decodePairingCode, encodePairingCode, looksLikePairingCode, type PairingCode } from './pairing-code.ts';

const bytes = (length: number): fc.Arbitrary<Uint8Array<ArrayBuffer>> => fc.uint8Array({ minLength: length, maxLength: length }).map((given) => new Uint8Array(given));
const relay = fc.webUrl({ validSchemes: ['wss', 'ws'] }).filter((url) => url.length <= 255 && /^[!-~]+$/.test(url));
const offer: fc.Arbitrary<PairingCode> = fc.record({
  relays: fc.array(relay, { minLength: 1, maxLength: 5 }),
  homePublicKey: bytes(32),
  token: bytes(16),
  secret: bytes(32),
  expiresMs: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
});
const example: PairingCode = { relays: ['wss://relay.example.org'], homePublicKey: new Uint8Array(32).fill(1), token: new Uint8Array(16).fill(2), secret: new Uint8Array(32).fill(3), expiresMs: 1_795_000_000_000 };

test('what is encoded is read back, also with lines broken by a mail program', () => {
  fc.assert(
    fc.property(offer, fc.nat(), (given, cut) => {
      const text = encodePairingCode(given);
      expect(decodePairingCode(text)).toEqual(given);
      expect(looksLikePairingCode(text)).toBe(true);
      const at = cut % text.length;
      expect(decodePairingCode(` ${text.slice(0, at)}\r\n  ${text.slice(at)}\n`)).toEqual(given);
    }),
  );
});

test('a code with one relay fits a small QR', () => {
  expect(encodePairingCode(example).length).toBeLessThanOrEqual(170);
});

test('there is one spelling: whatever is read is what would be written', () => {
  const text = encodePairingCode(example);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=.:é';
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(...alphabet.split('')), fc.constantFrom('replace', 'insert', 'remove'), (place, sign, how) => {
      const at = place % text.length;
      const changed = text.slice(0, at) + (how === 'remove' ? '' : sign) + text.slice(how === 'insert' ? at : at + 1);
      const read = decodePairingCode(changed);
      if (read !== null) expect(encodePairingCode(read)).toBe(changed);
    }),
    { numRuns: 2000 },
  );
});

test('anything else is refused without an error', () => {
  fc.assert(fc.property(fc.string({ maxLength: 400 }), (text) => decodePairingCode(text) === null));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (body) => {
    const read = decodePairingCode(`porchlight-pair:1.${toBase64url(body)}`);
    if (read !== null) expect(encodePairingCode(read)).toBe(`porchlight-pair:1.${toBase64url(body)}`);
  }));
  const text = encodePairingCode(example);
  for (const version of ['0.', '2.', '11.', '', 'v1.']) expect(decodePairingCode(text.replace('1.', version))).toBeNull();
  expect(decodePairingCode(text.slice('porchlight-pair:'.length))).toBeNull();
  expect(decodePairingCode(`https://example.org/#${text}`)).toBeNull();
  expect(decodePairingCode(text.slice(0, -4))).toBeNull();
  expect(decodePairingCode(`${text}AAAA`)).toBeNull();
  expect(decodePairingCode(`${text}${'A'.repeat(5000)}`)).toBeNull();
});

test('addresses that are none, too many, or none at all are refused', () => {
  for (const relays of [[], ['https://relay.example.org'], ['wss://'], ['wss://a b'], ['javascript:alert(1)'], [`wss://${'a'.repeat(300)}`], Array.from({ length: 6 }, () => 'wss://a')]) {
    expect(() => encodePairingCode({ ...example, relays })).toThrow();
  }
  const body = fromBase64url(encodePairingCode(example).slice('porchlight-pair:1.'.length)) ?? new Uint8Array(0);
  expect(decodePairingCode(`porchlight-pair:1.${toBase64url(body.subarray(0, 86))}`)).toBeNull();
});

test('base64url is RFC 4648, one spelling only', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (given) => {
    const text = Buffer.from(given).toString('base64url');
    expect(toBase64url(given)).toBe(text);
    expect(Buffer.from(fromBase64url(text) ?? []).equals(given)).toBe(true);
  }));
  for (const text of ['A', 'AB', 'AAB', 'AA==', 'A+AA', 'A/AA', 'A AA']) expect(fromBase64url(text)).toBeNull();
});
