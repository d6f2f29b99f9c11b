/** "Prove it" with a home that has names, pictures and devices: what each check finds, and that a check that cannot find anything does not pass. */
import { describe, expect, test } from 'vitest';
import { cameraIdFrom } from '../../../shared/model/ids.ts';
import { systemClock } from '../core/clock.ts';
import { silentLogger } from '../core/logger.ts';
import { Capture, entropyBits } from './capture.ts';
import { nodeSuite } from './node-suite.ts';
import { prove, type ProveParts } from './prove.ts';
import { countMarked, needlesOf } from './prove-search.ts';
import { HandClock } from './testing/hand-clock.ts';

const NAMES = ['Lake house', 'Porch', 'Hof'];
const JPEG = Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 0x4a, 0x46, 0x49, 0x46, 0x00, 0xff, 0xd9]);
const device = { id: '0'.repeat(16), name: 'Phone', publicKey: nodeSuite.random(32), psk: nodeSuite.random(32), ringSeed: nodeSuite.random(32), grants: { cameras: [], untilMs: null } };
const parts = (more: Partial<ProveParts> = {}): ProveParts => ({
  clock: systemClock, log: silentLogger, suite: nodeSuite, names: () => NAMES, routeSeed: nodeSuite.random(32), captured: [],
  samplePicture: async () => ({ cameraId: cameraIdFrom(new Uint8Array(12)), jpeg: JPEG }),
  devices: { list: () => [device], get: () => device, add: async () => undefined, acceptStamp: async () => true, seen: () => undefined },
  ...more,
});
const captured = (...messages: readonly Uint8Array[]): ProveParts['captured'] => messages.map((bytes) => ({ atMs: 0, direction: 'out', bytes }));

describe('the search', () => {
  test('finds nothing in what is sealed, and something in the same unsealed', async () => {
    const proof = await prove('search', parts({ captured: captured(nodeSuite.random(4_000)) }));
    expect(proof).toMatchObject({ passed: true, hits: 0 });
    expect(proof.controlHits).toBeGreaterThan(50);
    expect(proof.looked).toBeGreaterThan(60);
  });

  test('does not pass when a picture or a name was given to a relay', async () => {
    for (const leak of [JPEG, Buffer.from('{"name":"Lake house"}'), Buffer.from('["Hof"]')]) {
      const proof = await prove('search', parts({ captured: captured(nodeSuite.random(100), new Uint8Array(leak)) }));
      expect(proof).toMatchObject({ passed: false, hits: 1 });
    }
  });

  test('finds every mark by itself, and none in two million bytes of noise', () => {
    for (const needle of needlesOf(NAMES)) expect(countMarked([new Uint8Array([1, 2, ...needle, 3])], [needle])).toBe(1);
    expect(countMarked([nodeSuite.random(2_000_000)], needlesOf(NAMES))).toBe(0);
  });

  test('works for a home that has no picture yet', async () => {
    expect(await prove('search', parts({ samplePicture: async () => null, names: () => ['Home'] }))).toMatchObject({ passed: true });
  });
});

describe('the keys', () => {
  test('that are at hand open nothing, the right one opens all', async () => {
    const proof = await prove('keys', parts({ captured: captured(nodeSuite.random(1_000), nodeSuite.random(20)) }));
    expect(proof).toMatchObject({ passed: true, hits: 0 });
    expect(proof.controlHits).toBe(proof.looked - 2);
  });

  test('are tried for real: a message sealed under a key of a device is found', async () => {
    const leak = await (await nodeSuite.aeadKey(device.psk)).seal(0n, new Uint8Array(0), new Uint8Array(64));
    expect(await prove('keys', parts({ captured: captured(leak) }))).toMatchObject({ passed: false, hits: 1 });
  });
});

test('a line that is led astray shows nothing, says why, and would show everything unsealed', async () => {
  const proof = await prove('misroute', parts());
  expect(proof).toMatchObject({ passed: true, hits: 0 });
  expect(proof.controlHits).toBeGreaterThan(50);
  expect(proof.found).toMatch(/went blank, saying: “.+” and “.+”/);
});

describe('the capture', () => {
  test('keeps the newest, in bounded memory, and says how it looks', () => {
    const clock = new HandClock();
    const capture = new Capture(clock, { messages: 10, bytes: 1_000 });
    for (let at = 0; at < 100; at += 1) {
      clock.go(1_000);
      capture.record(at % 2 === 0 ? 'out' : 'in', new Uint8Array(50).fill(at));
    }
    const summary = capture.summary([{ name: 'a', value: 'b' }]);
    expect(summary).toMatchObject({ messages: 10, bytes: 500, sinceMs: clock.nowMs() - 9_000, readable: [{ name: 'a' }] });
    expect(summary.newest[0]).toEqual({ atMs: clock.nowMs(), direction: 'in', sizeBytes: 50, startHex: '63'.repeat(16) });
    expect(summary.entropyBits).toBeCloseTo(Math.log2(10));
    capture.record('out', new Uint8Array(990));
    expect(capture.messages()).toHaveLength(1);
    expect(entropyBits([])).toBe(0);
  });
});
