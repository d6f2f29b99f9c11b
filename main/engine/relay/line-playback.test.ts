/** Recordings on a slow line: when the small stream comes, and the large one again, without a hole; and that neither a gap nor the end of the small one is told as the camera's. */
import { describe, expect, test } from 'vitest';
import type { ChunkHead, InitChunk, MediaChunk, MediaName, MediaOpenParsed } from '../../../shared/contract/media.ts';
import type { StreamKind } from '../../../shared/model/camera.ts';
import { cameraIdFrom } from '../../../shared/model/ids.ts';
import { forceUnwrap } from '../../../shared/result.ts';
import { rangeContains, type TimeRange } from '../../../shared/time.ts';
import type { MediaSink, MediaStream } from '../ports/media.ts';
import { beginFall, type FallState } from './line-fall.ts';
import { lineMedia } from './line-media.ts';
import { behindMs, decidePlayback, IDLE, noteHanded } from './line-pace.ts';
import { HandClock } from './testing/hand-clock.ts';

const CAMERA = cameraIdFrom(new Uint8Array(12).fill(3));
const GROUP_MS = 1_000;
const GROUP_BYTES: Readonly<Record<StreamKind, number>> = { main: 500_000, sub: 40_000 };
const STEP_MS = 20;
const VIEWER_CREDITS = 4;

interface Footage {
  /** When the sub stream was recorded; main always was, up to `endMs`. */
  readonly sub?: TimeRange;
  readonly endMs?: number;
}

/** The engine's playback of one camera, as it answers: groups of pictures from the one that covers the moment, main where there is nothing else. */
function engineOf({ sub = { startMs: 0, endMs: 1e9 }, endMs = 1e9 }: Footage, clock: HandClock) {
  const asked: { readonly stream: string; readonly fromMs: number }[] = [];
  const open = (_name: MediaName, input: MediaOpenParsed<MediaName>, first: number, sink: MediaSink): MediaStream => {
    if (!('fromMs' in input)) throw new Error('playback only');
    let [credits, atMs, seekId, closed, ended] = [first, input.fromMs, input.seekId, false, false];
    let serves: StreamKind | null = null;
    let current: StreamKind | null = null;
    asked.push({ stream: input.stream, fromMs: input.fromMs });
    const next = (): void => {
      if (closed || ended || credits <= 0) return;
      serves ??= input.stream === 'sub' && rangeContains(sub, atMs) ? 'sub' : 'main';
      credits -= 1;
      if (serves === 'sub' && !rangeContains(sub, atMs)) sink.chunk({ kind: 'gap', seekId, startMs: atMs, endMs: (atMs += 60_000), cause: null }, null);
      else if (atMs >= endMs) {
        ended = true;
        sink.chunk({ kind: 'end', seekId, atMs: endMs }, null);
      }
      else if (current !== serves) {
        current = serves;
        sink.chunk({ kind: 'init', initId: 1, ...(serves === input.stream ? {} : { stream: serves }) }, new Uint8Array(8));
      } else {
        atMs = (Math.floor(atMs / GROUP_MS) + 1) * GROUP_MS;
        sink.chunk({ kind: 'media', initId: 1, seekId, baseWallMs: 0, baseMediaMs: 0, keyframe: true, endMs: atMs }, new Uint8Array(GROUP_BYTES[serves]));
      }
      clock.after(1, next);
    };
    return {
      addCredits: (more) => {
        credits += more;
        clock.after(1, next);
      },
      control: (control) => {
        if (control.kind !== 'seek') return;
        [atMs, seekId, serves, ended] = [control.toMs, control.seekId, null, false];
        clock.after(1, next);
      },
      close: () => (closed = true),
    };
  };
  return { open, asked };
}

/** A viewer that plays at normal speed, behind a line of so many bytes a second. */
function rigOf(footage: Footage = {}, recordsSub = true) {
  const clock = new HandClock();
  const room = new Set<() => void>();
  const waiting: { readonly head: ChunkHead; readonly bytes: number }[] = [];
  const line = {
    rateBytesPerS: 0, windowBytes: 0, roundTripMs: null, droppedLive: 0, liveRoomBytes: Number.POSITIVE_INFINITY, queuedBytes: 0,
    onRoom: (listener: () => void) => (room.add(listener), () => room.delete(listener)),
  };
  const engine = engineOf(footage, clock);
  const came: ChunkHead[] = [];
  const viewer = { positionMs: 0, receivedMs: 0, waitedMs: 0, plays: true };
  const sink: MediaSink = {
    chunk: (head, payload) => {
      waiting.push({ head, bytes: payload?.length ?? 0 });
      line.queuedBytes += payload?.length ?? 0;
    },
    closed: () => undefined,
  };
  const service = lineMedia({ media: engine, line, clock, random: () => 0, hasSubStream: () => true, recordsSub: () => recordsSub, maySound: () => true });
  const stream = service.open('playback', { cameraId: CAMERA, stream: 'main', fromMs: 0, seekId: 1 }, VIEWER_CREDITS, sink);
  const used: number[] = [];
  let spareBytes = 0;
  const step = (bytesPerS: number): void => {
    clock.go(STEP_MS);
    line.rateBytesPerS = bytesPerS;
    spareBytes += (bytesPerS * STEP_MS) / 1_000;
    for (let first = waiting[0]; first !== undefined && spareBytes >= first.bytes; first = waiting[0]) {
      waiting.shift();
      spareBytes -= first.bytes;
      came.push(first.head);
      if (first.head.kind === 'media') used.push((viewer.receivedMs = first.head.endMs));
      else stream.addCredits(1);
    }
    line.queuedBytes = Math.max(0, waiting.reduce((sum, { bytes }) => sum + bytes, 0) - spareBytes);
    if (waiting.length === 0) spareBytes = 0;
    const before = viewer.positionMs;
    if (viewer.plays) viewer.positionMs = Math.max(before, Math.min(viewer.receivedMs, before + STEP_MS));
    if (viewer.plays && viewer.positionMs === before) viewer.waitedMs += STEP_MS;
    for (; used[0] !== undefined && used[0] <= viewer.positionMs; used.shift()) stream.addCredits(1);
    for (const tell of [...room]) tell();
  };
  const run = (seconds: number, bytesPerS: number): void => {
    viewer.waitedMs = 0;
    for (let ms = 0; ms < seconds * 1_000; ms += STEP_MS) step(bytesPerS);
  };
  const inits = (): InitChunk[] => came.filter((head): head is InitChunk => head.kind === 'init');
  return { ...engine, clock, came, viewer, stream, service, room, run, inits };
}

const SMALL = { stream: 'sub', because: 'slow-line' } as const;

describe('recordings', () => {
  test('go over to the small stream where the line is slower than they are, go on where they were, and keep up from then on', () => {
    const rig = rigOf();
    rig.run(12, 250_000);
    expect(rig.inits()).toEqual([{ kind: 'init', initId: 1, stream: 'main' }, { kind: 'init', initId: 2, ...SMALL }]);
    const media = rig.came.filter((head): head is MediaChunk => head.kind === 'media');
    expect(media.map(({ endMs }) => endMs)).toEqual(media.map((_, at) => (at + 1) * GROUP_MS));
    expect(new Set(media.map(({ initId }) => initId))).toEqual(new Set([1, 2]));
    rig.run(20, 250_000);
    expect(rig.viewer.waitedMs).toBe(0);
  });

  test('stay what they are on a line that just bears them, and through a hiccup', () => {
    const rig = rigOf();
    rig.run(60, 520_000);
    rig.run(1.5, 1_000);
    rig.run(20, 900_000);
    expect(rig.asked).toHaveLength(1);
  });

  test('come large again after thirty seconds of room, and small again where that was too early', () => {
    const rig = rigOf();
    rig.run(12, 250_000);
    rig.run(20, 1_000_000);
    expect(rig.asked.at(-1)?.stream).toBe('sub');
    rig.run(15, 1_000_000);
    expect(rig.inits().at(-1)).toEqual({ kind: 'init', initId: 3, stream: 'main' });
    rig.run(20, 1_000_000);
    expect([rig.viewer.waitedMs, rig.asked.length]).toEqual([0, 3]);
    rig.run(10, 200_000);
    expect(rig.inits().at(-1)).toEqual({ kind: 'init', initId: 4, ...SMALL });
  });

  test('of which there is only one stream are left alone', () => {
    const rig = rigOf({}, false);
    rig.run(30, 250_000);
    expect(rig.asked).toHaveLength(1);
    expect(rig.inits()).toEqual([{ kind: 'init', initId: 1, stream: 'main' }]);
  });

  test('say what comes where the small stream was not recorded at that time', () => {
    const rig = rigOf({ sub: { startMs: 1e8, endMs: 2e8 } });
    rig.run(30, 250_000);
    expect(rig.asked.map(({ stream }) => stream)).toEqual(['main', 'sub']);
    expect(rig.inits()).toEqual([{ kind: 'init', initId: 1, stream: 'main' }, { kind: 'init', initId: 2, stream: 'main' }]);
    // A seek to where there is one finds it.
    rig.stream.control({ kind: 'seek', toMs: 1.5e8, seekId: 2, one: false });
    rig.run(10, 250_000);
    expect(rig.inits().at(-1)).toMatchObject(SMALL);
  });

  test('go on in the large stream where the small one has nothing, and end once', () => {
    const rig = rigOf({ sub: { startMs: 0, endMs: 20_000 }, endMs: 30_000 });
    rig.run(120, 250_000);
    expect(rig.inits().map(({ stream }) => stream)).toEqual(['main', 'sub', 'main']);
    expect(rig.came.filter(({ kind }) => kind === 'gap')).toEqual([]);
    expect(rig.came.filter(({ kind }) => kind === 'end')).toEqual([{ kind: 'end', seekId: 1, atMs: 30_000 }]);
    const ends = rig.came.flatMap((head) => (head.kind === 'media' ? [head.endMs] : []));
    expect(ends).toEqual(Array.from({ length: 30 }, (_, at) => (at + 1) * GROUP_MS));
  });

  test('that stand still do not change, and leave nothing behind when they are closed', () => {
    const rig = rigOf();
    rig.viewer.plays = false;
    rig.run(3, 2_000_000);
    rig.run(60, 1_000);
    expect(rig.asked).toHaveLength(1);
    rig.stream.close();
    rig.service.end();
    expect(rig.room.size).toBe(0);
  });
});

describe('how far it is behind', () => {
  test('counts what the line has sent against what is shown, from when it began to be busy', () => {
    const begun = noteHanded(IDLE, { footageMs: 2_000, bytes: 1_000 }, 0, 10_000);
    // A quarter of it is sent after a second: half a second of footage.
    expect(behindMs(begun, 750, 1, 11_000)).toBe(500);
    expect(behindMs(begun, 750, 2, 11_000)).toBe(750);
    expect(behindMs(begun, 750, 0.5, 11_000)).toBe(0);
    expect(behindMs(begun, 0, 1, 99_000)).toBe(0);
    const more = noteHanded(begun, { footageMs: 2_000, bytes: 1_000 }, 500, 12_000);
    expect(behindMs(more, 1_000, 1, 13_000)).toBe(1_000);
    // The line was idle in between: it starts anew.
    expect(behindMs(noteHanded(more, { footageMs: 1_000, bytes: 100 }, 0, 50_000), 100, 1, 51_000)).toBe(1_000);
  });

  test('decides: two seconds for the small stream, half a second against the large one', () => {
    const main = beginFall('main', 0);
    expect(decidePlayback(main, 1_999, 5_000, 0)).toBe(main);
    let state: FallState = decidePlayback(main, 2_000, 5_000, 0);
    expect(state.stream).toBe('sub');
    state = decidePlayback(state, 500, 34_999, 0);
    expect(decidePlayback(state, 499, 64_998, 0).stream).toBe('sub');
    expect(decidePlayback(state, 499, 64_999, 0).stream).toBe('main');
    // What the owner of the picture asked for is not changed.
    expect(decidePlayback(beginFall('sub', 0), 0, 1e9, 0).stream).toBe('sub');
    expect(forceUnwrap('it waits twice as long after a vain try', decidePlayback(decidePlayback(state, 0, 64_999, 0), 2_000, 70_000, 0)).waitMs).toBe(60_000);
  });
});
