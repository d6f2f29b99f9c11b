import { createHash, hkdfSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { cameraNumber, deviceIdOf, hkdf, pairingKeysOfWords, pairRoute, ringToken, routeOf, sasDigits, utcDayOf } from './derive.ts';

const seed = new Uint8Array(32).fill(9);
const foreign = (secret: Uint8Array, label: string, bytes: number): Uint8Array => new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), label, bytes));

test('tokens, routes and keys are HKDF of their labels', async () => {
  expect(await ringToken(nodeSuite, seed, '2026-11-21')).toEqual(foreign(seed, 'ring2026-11-21', 16));
  expect(await routeOf(nodeSuite, seed, '2026-11-21')).toEqual(foreign(seed, 'route2026-11-21', 16));
  expect(await pairRoute(nodeSuite, seed)).toEqual(foreign(seed, 'pair-route', 16));
  expect(await pairingKeysOfWords(nodeSuite, seed.subarray(16))).toEqual({ token: foreign(seed.subarray(16), 'pair-token', 16), psk: foreign(seed.subarray(16), 'pair-psk', 32) });
  await expect(hkdf(nodeSuite, seed, 'x', 8161)).rejects.toThrow();
});

test('days, seeds and labels give tokens that have nothing in common', async () => {
  const tokens = await Promise.all([ringToken(nodeSuite, seed, '2026-11-21'), ringToken(nodeSuite, seed, '2026-11-22'), ringToken(nodeSuite, new Uint8Array(32), '2026-11-21'), routeOf(nodeSuite, seed, '2026-11-21')]);
  expect(new Set(tokens.map(String)).size).toBe(tokens.length);
});

test('days are those of UTC', () => {
  expect(utcDayOf(Date.UTC(2026, 10, 21, 23, 59, 59, 999))).toBe('2026-11-21');
  expect(utcDayOf(Date.UTC(2026, 10, 22))).toBe('2026-11-22');
});

test('six digits are always six, and spread evenly', async () => {
  const hash = nodeSuite.random(32);
  const number = new DataView(new Uint8Array(hkdfSync('sha256', hash, new Uint8Array(0), 'sas', 8)).buffer).getBigUint64(0) % 1_000_000n;
  expect(await sasDigits(nodeSuite, hash)).toBe(String(number).padStart(6, '0'));
  const firsts = new Map<string, number>();
  for (let round = 0; round < 1500; round += 1) {
    const digits = await sasDigits(nodeSuite, Uint8Array.of(round & 0xff, round >> 8));
    expect(digits).toMatch(/^\d{6}$/);
    firsts.set(digits.charAt(0), (firsts.get(digits.charAt(0)) ?? 0) + 1);
  }
  // 150 each; six standard deviations of a fair draw are 70.
  expect([...firsts.values()].every((count) => Math.abs(count - 150) < 70)).toBe(true);
  expect(firsts.size).toBe(10);
});

test('cameras and devices are named by hashes', async () => {
  expect(await cameraNumber(nodeSuite, 'front-door')).toBe(createHash('sha256').update('front-door').digest().readUInt32BE(0));
  expect(await deviceIdOf(nodeSuite, seed)).toBe(createHash('sha256').update(seed).digest('hex').slice(0, 16));
});
