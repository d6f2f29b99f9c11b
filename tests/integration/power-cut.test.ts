/** The power is cut beside a real recorder: in a model of a disk that keeps no promise it did not make, and on a real file system (docs/design/faults.md, I1 to I5). */
import { describe, expect, it } from 'vitest';
import { powerCutRounds } from '../../tools/faults/power/rounds.ts';
import { realDiskCuts, whyNoRealDisk } from '../../tools/faults/power/real-disk.ts';
import { whyNoTrace } from '../../tools/faults/power/trace-run.ts';
import { seededRandom } from '../../tools/faults/power/world-choices.ts';

/** Starts of traced engines take their time on a busy machine. */
const LIMIT_MS = 240_000;
const noTrace = await whyNoTrace();
const noDisk = await whyNoRealDisk();
const progress: string[] = [];
const say = (line: string): void => void progress.push(line);

describe.skipIf(noTrace !== null)(`a power cut by the trace of a whole engine${noTrace === null ? '' : ` (skipped: ${noTrace})`}`, () => {
  it('costs two seconds of a stream at most and breaks no promise; each sync left out is noticed', async () => {
    const result = await powerCutRounds({ rounds: 24, seed: 20_261_122, seconds: 6, cameras: 2, signal: AbortSignal.timeout(LIMIT_MS), onProgress: say });
    expect(result.skipped).toBeNull();
    expect(result.violations, progress.join('\n')).toEqual([]);
    expect(result.rounds).toBe(24);
    expect(result.worlds).toBe(96);
    // A suite that never sees anything lost sees nothing.
    expect(Math.max(...result.lostMs)).toBeGreaterThan(0);
    expect(result.controls.filter((control) => control.violations === 0).map((control) => control.name)).toEqual([]);
    expect(result.controlViolations).toBeGreaterThan(0);
  }, LIMIT_MS);
});

describe.skipIf(noDisk !== null)(`a power cut of ext4 on a loop device${noDisk === null ? '' : ` (skipped: ${noDisk})`}`, () => {
  it('costs two seconds of a stream at most; without syncs it is noticed', async () => {
    const result = await realDiskCuts({ cuts: 2, random: seededRandom(7), signal: AbortSignal.timeout(LIMIT_MS), onProgress: say });
    expect(result.skipped).toBeNull();
    expect(result.violations, progress.join('\n')).toEqual([]);
    expect(result.lostMs.length).toBe(2);
    expect(result.controlViolations).toBeGreaterThan(0);
  }, LIMIT_MS);
});
