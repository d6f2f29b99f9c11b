/** The saved capture, read back by another reader: every message whole, with its time and direction. */
import { expect, test } from 'vitest';
import { Capture } from './capture.ts';
import { captureFile } from './capture-file.ts';
import { nodeSuite } from './node-suite.ts';
import { HandClock } from './testing/hand-clock.ts';
import { readPcapng } from './testing/read-pcapng.ts';

const USER0 = 147;

test('holds every message of the capture, byte for byte', () => {
  const clock = new HandClock();
  const capture = new Capture(clock);
  const sizes = [0, 1, 2, 3, 4, 5, 64, 255, 256, 1_023, 16_384, 65_536];
  for (const size of sizes) {
    clock.go(1_234);
    capture.record(size % 2 === 0 ? 'out' : 'in', nodeSuite.random(size));
  }
  const messages = capture.messages();
  const packets = readPcapng(captureFile(messages));
  expect(packets.map(({ bytes }) => bytes.length)).toEqual(sizes);
  expect(packets.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(capture.summary([]).bytes);
  expect(packets).toEqual(messages.map(({ atMs, direction, bytes }) => ({ linkType: USER0, atUs: BigInt(Math.round(atMs)) * 1_000n, flags: direction === 'in' ? 1 : 2, bytes })));
});

test('keeps times of this century, and is a file without a message too', () => {
  const atMs = Date.UTC(2026, 10, 22, 7, 30);
  expect(readPcapng(captureFile([{ atMs, direction: 'out', bytes: Uint8Array.of(7) }])).map(({ atUs }) => new Date(Number(atUs / 1_000n)).toISOString())).toEqual(['2026-11-22T07:30:00.000Z']);
  expect(readPcapng(captureFile([]))).toEqual([]);
  expect(() => readPcapng(captureFile([{ atMs, direction: 'out', bytes: Uint8Array.of(7) }]).slice(0, -4))).toThrow('no block');
});
