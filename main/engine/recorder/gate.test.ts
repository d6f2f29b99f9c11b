/** The gate on its own: what goes to the disk, in which order and how much at once. */
import { describe, expect, it } from 'vitest';
import type { StreamKeep } from '../ports/ingest.ts';
import { Gate } from './gate.ts';
import type { SessionFragment } from './media.ts';
import { PreRollMemory } from './pre-roll.ts';

const MB = 1024 * 1024;
const START_MS = 1_000_000;

/** Pictures of 1 MB, ten a second, a keyframe each second; a disk that takes only what it is told to. */
function rig(keep: StreamKeep | null) {
  const state = { nowMs: START_MS, pendingBytes: 0, rests: 0, jumps: 0 };
  const written: number[] = [];
  const said: string[] = [];
  const gate = new Gate({
    clock: { nowMs: () => state.nowMs } as never,
    memory: new PreRollMemory(),
    keep,
    onCutShort: () => said.push('short'),
    outage: { sessionEnded: () => said.push(`missing after ${written.at(-1)}`), rests: (_detail, nowMs) => said.push(`rests ${nowMs - START_MS}`), wakes: (nowMs) => said.push(`wakes ${nowMs - START_MS}`) },
    footage: {
      begin: ({ session, wallOf }) => said.push(`session ${session} from ${wallOf(0) - START_MS}`),
      get pendingBytes() {
        return state.pendingBytes;
      },
      take: (fragment) => {
        written.push(fragment.startMediaMs);
        state.pendingBytes += fragment.bytes.length;
      },
      rest: () => void (state.rests += 1),
      snapshot: async () => {
        state.pendingBytes = 0;
        return null;
      },
      end: async () => undefined,
      mappingChanges: () => void (state.jumps += 1),
    },
  });
  const bytes = new Uint8Array(MB);
  let mediaMs = 0;
  gate.begin(session(1));
  said.splice(said.findIndex((line) => line.startsWith('session')), 1);
  return {
    state, written, said, gate,
    /** So many pictures, the disk idle or not. */
    frames: (count: number, idle = true): void => {
      for (let index = 0; index < count; index += 1) {
        if (idle) state.pendingBytes = 0;
        gate.take({ bytes, keyframe: mediaMs % 1_000 === 0, video: true, startMediaMs: mediaMs, endMediaMs: mediaMs + 100, wallMs: START_MS + mediaMs } as unknown as SessionFragment);
        mediaMs += 100;
        state.nowMs += 100;
      }
    },
  };
}
const session = (number: number) => ({ session: number, wallOf: (mediaMs: number) => START_MS + mediaMs, settled: () => true });
const keep = (preRollMs: number, window: StreamKeep['window'] = null): StreamKeep => ({ preRollMs, window, restsUntilMs: null, detail: '' });
const every = (fromMs: number, toMs: number): readonly number[] => Array.from({ length: (toMs - fromMs) / 100 }, (_, index) => fromMs + index * 100);

describe('the gate', () => {
  it('gives a slow disk no more than a portion at once, and everything in order', () => {
    const { gate, frames, written, state } = rig(keep(3_000));
    frames(55);
    gate.set(keep(3_000, { fromMs: state.nowMs, untilMs: state.nowMs + 60_000 }));
    // From the keyframe at or before the pre-roll on; eight pictures of a megabyte, and no more while the disk is busy.
    expect(written).toEqual(every(2_000, 2_800));
    frames(10, false);
    expect(written).toHaveLength(8);
    frames(20);
    gate.tick(true);
    expect(written).toEqual(every(2_000, 2_000 + written.length * 100));
    frames(30);
    expect(written).toEqual(every(2_000, 11_500));
  });

  it('hands everything on when the disk takes nothing for so long that memory is full: its own bound decides then', () => {
    const { gate, frames, written, state } = rig(keep(3_000));
    frames(40);
    gate.set(keep(3_000, { fromMs: state.nowMs, untilMs: state.nowMs + 600_000 }));
    frames(30, false);
    expect(written).toHaveLength(8);
    frames(40, false);
    expect(written.length).toBeGreaterThan(60);
    expect(written).toEqual(every(1_000, 1_000 + written.length * 100));
  });

  it('ends with the first keyframe after the window, also where that is still in memory, and begins there the next time', () => {
    const { gate, frames, written, state, said } = rig(keep(1_000));
    frames(30);
    gate.set(keep(1_000, { fromMs: state.nowMs, untilMs: state.nowMs + 500 }));
    frames(25);
    expect(written).toEqual(every(2_000, 4_000));
    expect(state.rests).toBe(1);
    gate.set(keep(1_000, { fromMs: START_MS + 3_000, untilMs: state.nowMs + 500 }));
    expect(written).toEqual(every(2_000, 4_800));
    expect(said.map((line) => line.split(' ')[0])).toEqual(['rests', 'wakes', 'rests', 'wakes']);
  });

  it('shuts at once where nothing is wanted any more, with what came before on its way', () => {
    const { gate, frames, written, state } = rig(null);
    frames(15);
    gate.set(keep(0));
    frames(9);
    expect([written.length, state.rests]).toEqual([15, 1]);
    // Everything again: from the group of pictures that is on its way.
    gate.set(null);
    frames(1);
    expect(written).toEqual([...every(0, 1_500), ...every(2_000, 2_500)]);
  });

  it('begins with the hours, also where it is told of them a moment later', () => {
    const { gate, frames, written } = rig({ ...keep(0), restsUntilMs: START_MS + 2_400 });
    frames(38);
    gate.set(null);
    frames(10);
    expect(written).toEqual(every(2_000, 4_800));
  });

  it('keeps pictures from before a jump of the camera’s time apart from those after it, and writes everything that is wanted when a session ends', async () => {
    const { gate, frames, written, state, said } = rig(keep(3_000));
    frames(25);
    gate.mappingChanges(true);
    frames(20);
    gate.set(keep(3_000, { fromMs: state.nowMs, untilMs: state.nowMs + 5_000 }));
    await gate.end();
    // The group of pictures that the jump fell into has a beginning, and no later part.
    expect(written).toEqual([...every(1_000, 2_500), ...every(3_000, 4_500)]);
    expect(said.filter((line) => line.startsWith('missing'))).toEqual(['missing after 2400']);
    expect(state.jumps).toBe(1);
  });

  it('writes what the session before held in memory, as footage of its own, when an event comes soon after its end', async () => {
    const { gate, frames, written, said, state } = rig(keep(3_000));
    frames(50);
    await gate.end();
    state.nowMs += 1_000;
    gate.tick(false);
    gate.begin(session(2));
    frames(5);
    expect(written).toEqual([]);
    gate.set(keep(3_000, { fromMs: state.nowMs, untilMs: state.nowMs + 60_000 }));
    frames(10);
    await gate.end();
    // Three seconds before the event, in whole groups of pictures.
    expect(written).toEqual([...every(3_000, 5_000), ...every(5_000, 6_500)]);
    expect(said).toEqual(['rests 0', 'session 2 from 0', 'wakes 6500', 'session 1 from 0', 'session 2 from 0', 'missing after 4900']);
  });

  it('writes it also while no session is there, and none of it twice', async () => {
    const { gate, frames, written, said, state } = rig(keep(3_000));
    frames(20);
    await gate.end();
    gate.set(keep(3_000, { fromMs: state.nowMs, untilMs: state.nowMs + 60_000 }));
    await Promise.resolve();
    state.pendingBytes = 0;
    gate.tick(false);
    state.pendingBytes = 0;
    gate.tick(false);
    state.pendingBytes = 0;
    gate.tick(false);
    await Promise.resolve();
    expect(written).toEqual(every(0, 2_000));
    expect(said.at(-1)).toBe('missing after 1900');
    gate.begin(session(2));
    frames(10);
    await gate.end();
    expect(written).toEqual(every(0, 3_000));
  });

  it('forgets what an ended session held when no event can want it any more', async () => {
    const { gate, frames, written, state } = rig(keep(3_000));
    frames(20);
    await gate.end();
    state.nowMs += 6_500;
    gate.tick(false);
    gate.set(keep(30_000, { fromMs: state.nowMs, untilMs: state.nowMs + 60_000 }));
    await gate.end();
    expect(written).toEqual([]);
  });

  it('where no pictures come, the clock ends what was wanted', () => {
    const { gate, frames, state, said } = rig(keep(1_000));
    frames(12);
    gate.set(keep(1_000, { fromMs: state.nowMs, untilMs: state.nowMs + 1_000 }));
    state.nowMs += 900;
    gate.tick(false);
    expect(state.rests).toBe(0);
    state.nowMs += 200;
    gate.tick(false);
    expect([state.rests, said.at(-1)]).toEqual([1, `rests ${state.nowMs - START_MS}`]);
  });
});
