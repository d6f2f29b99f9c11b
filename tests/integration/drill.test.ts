/** The drill in its short form: with everything in place nobody sees a stranger's home; with one check taken out, the drill says so. */
import { createCipheriv } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { Asked } from '../../shared/relay/session-asked.ts';
import { SessionCore } from '../../shared/relay/session-core.ts';
import type { CryptoSuite } from '../../shared/relay/suite.ts';
import { type DrillReport, runDrill } from '../../tools/drill/drill.ts';
import { parseDrillOptions } from '../../tools/drill/options.ts';

/** Every household saw its own home before, none a stranger's, everybody noticed, and the control shows that there was something to see. */
function expectSound(report: DrillReport, households: number): void {
  expect(report.faults).toEqual([]);
  expect(report).toMatchObject({ households, opened: 0, marked: 0, ownFrames: households, noticed: households, controlOpened: households * 3 });
  expect(report.misrouted).toBeGreaterThan(0);
  for (const [name, row] of Object.entries(report.rows)) expect([name, row.opened]).toEqual([name, 0]);
}

test('in memory, all rows', async () => {
  const report = await runDrill({ households: 24, isOverSockets: false, seed: 11 });
  expectSound(report, 24);
  expect(Object.keys(report.rows).toSorted()).toEqual(['A', 'B', 'C', 'C2', 'D', 'E', 'F', 'G', 'H', 'I']);
  expect(report.misrouted).toBe(72);
  expect(report.rows['I']?.figures).toEqual({ delayed: 24, noticed: 24, stillBlank: 24, aliveByArrivalAlone: 24 });
});

test('through the real relay over real sockets', async () => {
  const report = await runDrill({ households: 12, isOverSockets: true, seed: 12 });
  expectSound(report, 12);
  expect(Object.keys(report.rows).toSorted()).toEqual(['A', 'B', 'C', 'C2', 'D', 'E', 'F', 'H']);
});

describe('finds what is broken', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** AES-256-GCM that looks at no tag: the same key stream, whatever comes. */
  const withoutTag: CryptoSuite = {
    ...nodeSuite,
    aeadKey: (bytes) => {
      const secret = Uint8Array.from(bytes);
      const key = nodeSuite.aeadKey(bytes);
      if (key instanceof Promise) throw new TypeError('node answers at once');
      return {
        seal: (...given) => key.seal(...given),
        open: (counter, _associated, sealed) => {
          const nonce = Buffer.alloc(16);
          nonce.writeBigUInt64BE(counter, 4);
          // GCM encrypts in counter mode from 2 on (NIST SP 800-38D section 7.1).
          nonce.writeUInt32BE(2, 12);
          return Uint8Array.from(createCipheriv('aes-256-ctr', secret, nonce).update(sealed.subarray(0, -16)));
        },
        wipe: () => key.wipe(),
      };
    },
  };

  test.each(['B', 'D', 'E'])('a viewer that looks at no tag (row %s)', async (row) => {
    const honest = await runDrill({ households: 8, isOverSockets: false, seed: 13, rows: ['A', row] });
    expect(honest.opened).toBe(0);
    const report = await runDrill({ households: 8, isOverSockets: false, seed: 13, rows: ['A', row], viewerSuite: withoutTag });
    expect(report.ownFrames).toBe(8);
    expect(report.opened).toBeGreaterThan(0);
    expect(report.faults.join('\n')).toMatch(new RegExp(`^${row}: \\d+ opened`, 'm'));
  });

  test('a viewer that looks at no camera', async () => {
    vi.spyOn(Asked.prototype, 'judge').mockReturnValue({ verdict: 'deliver' });
    const report = await runDrill({ households: 8, isOverSockets: false, seed: 14, rows: ['A', 'H'] });
    expect(report.ownFrames).toBe(8);
    expect(report.rows['H']?.opened).toBe(8);
    expect(report.faults.length).toBeGreaterThan(0);
  });

  test('a viewer that takes what arrives for a sign of life', async () => {
    vi.spyOn(SessionCore.prototype, 'ageMs').mockReturnValue(0);
    const report = await runDrill({ households: 8, isOverSockets: false, seed: 16, rows: ['A', 'I'] });
    expect(report.ownFrames).toBe(8);
    expect(report.rows['I']?.figures).toMatchObject({ noticed: 0, stillBlank: 0 });
    expect(report.faults).toContain('I: viewers that are blank after 3 s: 0 in place of 8');
  });

  test('homes that send nothing: an empty drill is no sound one', async () => {
    const report = await runDrill({ households: 4, isOverSockets: false, seed: 15, rows: ['F'] });
    expect(report).toMatchObject({ ownFrames: 0, controlOpened: 12 });
    expect(report.faults).toContain('there were not as many own pictures as households');
  });
});

test('takes its words', () => {
  expect(parseDrillOptions(['--households', '13000', '--sockets', '--json', '--seed', '5'], 1)).toEqual({ households: 13_000, isOverSockets: true, json: true, seed: 5 });
  expect(parseDrillOptions([], 7)).toEqual({ households: 1000, isOverSockets: false, json: false, seed: 7 });
  for (const words of [['--households', '1'], ['--households', 'many'], ['--seed', '-1'], ['--what']]) expect(() => parseDrillOptions(words, 1)).toThrow();
});
