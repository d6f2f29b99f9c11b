/** Pictures on a slow line: what is dropped, when the smaller picture comes and the larger one again, and that credits add up. */
import { expect, describe, test } from 'vitest';
import type { ChunkHead, InitChunk, MediaName, MediaOpenParsed } from '../../../shared/contract/media.ts';
import { cameraIdFrom } from '../../../shared/model/ids.ts';
import { forceUnwrap } from '../../../shared/result.ts';
import type { MediaSink, MediaStream } from '../ports/media.ts';
import { beginFall, decideFall, type FallState, noteChunk } from './line-fall.ts';
import { lineMedia } from './line-media.ts';
import { HandClock } from './testing/hand-clock.ts';

const CAMERA = cameraIdFrom(new Uint8Array(12).fill(3));

interface Inner {
  readonly name: MediaName;
  readonly input: MediaOpenParsed<MediaName>;
  readonly sink: MediaSink;
  credits: number;
  closed: boolean;
  init(initId: number): void;
  /** Sends a chunk of so many bytes where there is a credit for it. */
  media(sizeBytes: number, keyframe?: boolean, initId?: number): void;
}

function rigOf({ hasSub = true, withSound = true }: { hasSub?: boolean; withSound?: boolean } = {}) {
  const clock = new HandClock();
  const line = { rateBytesPerS: 0, windowBytes: 0, roundTripMs: null, droppedLive: 0, liveRoomBytes: Number.POSITIVE_INFINITY, queuedBytes: 0, room: new Set<() => void>(), onRoom: (listener: () => void) => (line.room.add(listener), () => line.room.delete(listener)) };
  const inners: Inner[] = [];
  const shown: { readonly head: ChunkHead; readonly sizeBytes: number }[] = [];
  const media = {
    open(name: MediaName, input: MediaOpenParsed<MediaName>, credits: number, sink: MediaSink): MediaStream {
      const inner: Inner = {
        name, input, sink, credits, closed: false,
        init: (initId) => {
          inner.credits -= 1;
          sink.chunk({ kind: 'init', initId }, new Uint8Array(8));
        },
        media: (sizeBytes, keyframe = false, initId = 1) => {
          if (inner.credits <= 0 || inner.closed) return;
          inner.credits -= 1;
          sink.chunk({ kind: 'media', initId, seekId: 0, baseWallMs: 0, baseMediaMs: 0, keyframe, endMs: 0 }, new Uint8Array(sizeBytes));
        },
      };
      inners.push(inner);
      return { addCredits: (more) => (inner.credits += more), control: () => undefined, close: () => (inner.closed = true) };
    },
  };
  const sink: MediaSink = {
    chunk: (head, payload) => {
      const sizeBytes = payload?.length ?? 0;
      if (head.kind === 'media' && sizeBytes > line.liveRoomBytes) line.droppedLive += 1;
      else shown.push({ head, sizeBytes });
    },
    closed: () => undefined,
  };
  const service = lineMedia({ media, line, clock, random: () => 0, hasSubStream: () => hasSub, recordsSub: () => hasSub, maySound: () => withSound });
  const newest = (): Inner => forceUnwrap('one was opened', inners.at(-1));
  return { clock, line, inners, shown, sink, service, newest, inits: () => shown.map(({ head }) => head).filter((head): head is InitChunk => head.kind === 'init') };
}

/** Seconds of 25 pictures, a keyframe each second; those after the keyframe do not fit a `tight` line. */
function watch(rig: ReturnType<typeof rigOf>, seconds: number, tight: boolean): void {
  for (let picture = 0; picture < seconds * 25; picture += 1) {
    const keyframe = picture % 25 === 0;
    rig.line.liveRoomBytes = !tight || keyframe ? Number.POSITIVE_INFINITY : 100;
    const inner = rig.newest();
    inner.media(4_000, keyframe);
    if (rig.newest() !== inner) rig.newest().init(1);
    rig.clock.go(40);
  }
}

describe('a live picture', () => {
  test('that does not fit is dropped up to the next keyframe, and costs the viewer no credit', () => {
    const rig = rigOf();
    rig.service.open('live', { cameraId: CAMERA, stream: 'main' }, 10, rig.sink);
    const inner = rig.newest();
    inner.init(1);
    inner.media(100, true);
    rig.line.liveRoomBytes = 1_000;
    inner.media(5_000);
    rig.line.liveRoomBytes = 100_000;
    inner.media(10);
    inner.media(10);
    inner.media(10, true);
    inner.media(10);
    expect(rig.shown.map(({ head, sizeBytes }) => [head.kind, sizeBytes])).toEqual([['init', 8], ['media', 100], ['media', 10], ['media', 10]]);
    expect(inner.credits).toBe(10 - 4);
  });

  test('falls to the sub stream on a slow line, says so, and comes back after thirty seconds of room', () => {
    const rig = rigOf();
    rig.service.open('live', { cameraId: CAMERA, stream: 'best' }, 10_000, rig.sink);
    rig.newest().init(1);
    watch(rig, 6, true);
    expect(rig.inners.map(({ input, closed }) => [input.stream, closed])).toEqual([['main', true], ['sub', false]]);
    expect(rig.inits()).toEqual([{ kind: 'init', initId: 1, stream: 'main' }, { kind: 'init', initId: 2, stream: 'sub', because: 'slow-line' }]);
    watch(rig, 29, false);
    expect(rig.newest().input.stream).toBe('sub');
    watch(rig, 2, false);
    expect(rig.newest().input.stream).toBe('main');
    expect(rig.inits().at(-1)).toEqual({ kind: 'init', initId: 3, stream: 'main' });
    // The same numbers of the engine's own streams are other parameters to the viewer.
    const pictures = rig.shown.flatMap(({ head }) => (head.kind === 'media' ? [head.initId] : []));
    expect(new Set(pictures)).toEqual(new Set([1, 2, 3]));
    expect(rig.newest().credits).toBe(10_000 - rig.shown.length);
  });

  test('stays what it is where there is nothing smaller, and where the smaller one was asked for', () => {
    for (const [rig, stream] of [[rigOf({ hasSub: false }), 'main'], [rigOf(), 'sub']] as const) {
      rig.service.open('live', { cameraId: CAMERA, stream }, 10_000, rig.sink);
      rig.newest().init(1);
      watch(rig, 10, true);
      watch(rig, 40, false);
      expect(rig.inners).toHaveLength(1);
      expect(rig.inits()).toEqual([{ kind: 'init', initId: 1, stream }]);
    }
  });

  test('is silent once it is closed', () => {
    const rig = rigOf();
    const stream = rig.service.open('live', { cameraId: CAMERA, stream: 'main' }, 10, rig.sink);
    stream.close();
    rig.newest().sink.chunk({ kind: 'wait', sinceMs: 1 }, null);
    expect(rig.shown).toHaveLength(0);
    expect(rig.newest().closed).toBe(true);
  });
});

describe('trying the main stream again', () => {
  const slow = (state: FallState, fromMs: number, seconds: number): { state: FallState; fellAtMs: number | null } => {
    let now = state;
    for (let atMs = fromMs; atMs < fromMs + seconds * 1_000; atMs += 40) {
      now = decideFall(noteChunk(now, true, atMs), atMs, 0);
      if (now.stream === 'sub') return { state: now, fellAtMs: atMs };
    }
    return { state: now, fellAtMs: null };
  };

  test('waits twice as long each time, up to eight minutes, and begins anew once it held', () => {
    const waits: number[] = [];
    let state = beginFall('main', 0);
    let atMs = 0;
    for (let round = 0; round < 7; round += 1) {
      const fallen = slow(state, atMs, 10);
      atMs = forceUnwrap('it fell', fallen.fellAtMs);
      const fellMs = atMs;
      state = fallen.state;
      while (state.stream === 'sub') state = decideFall(noteChunk(state, false, atMs), (atMs += 1_000), 0);
      waits.push((atMs - fellMs) / 1_000);
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 480, 480]);
    for (const untilMs = atMs + 130_000; atMs < untilMs; atMs += 40) state = decideFall(noteChunk(state, false, atMs), atMs, 0);
    expect(slow(state, atMs, 10).state.waitMs).toBe(30_000);
  });

  test('is put off by every drop', () => {
    let state = slow(beginFall('main', 0), 0, 10).state;
    const sinceMs = state.sinceMs;
    for (let s = 2; s <= 100; s += 1) state = decideFall(noteChunk(state, s % 20 === 0, sinceMs + s * 1_000), sinceMs + s * 1_000, 0);
    expect(state.stream).toBe('sub');
  });

  test('needs more than a fifth dropped', () => {
    let state = beginFall('main', 0);
    for (let chunk = 25; chunk < 1_000; chunk += 1) state = decideFall(noteChunk(state, chunk % 6 === 0, chunk * 40), chunk * 40, 0);
    expect(state.stream).toBe('main');
  });
});

describe('playback', () => {
  test('reads one piece at a time, and none while half a megabyte waits', () => {
    const rig = rigOf();
    rig.service.open('playback', { cameraId: CAMERA, stream: 'main', fromMs: 1, seekId: 1 }, 6, rig.sink);
    const inner = rig.newest();
    expect(inner.credits).toBe(1);
    inner.init(1);
    inner.media(10);
    expect(inner.credits).toBe(1);
    rig.line.queuedBytes = 512 * 1024;
    inner.media(10);
    expect(inner.credits).toBe(0);
    rig.line.queuedBytes -= 1;
    for (const tell of rig.line.room) tell();
    expect(inner.credits).toBe(1);
    for (let piece = 0; piece < 10; piece += 1) inner.media(10);
    expect(rig.shown).toHaveLength(6);
  });

  test('of several pictures takes turns; one at the end of its footage holds up nobody', () => {
    const rig = rigOf();
    const open = (): Inner => {
      rig.service.open('playback', { cameraId: CAMERA, stream: 'main', fromMs: 1, seekId: 1 }, 5, rig.sink);
      return rig.newest();
    };
    const [one, other] = [open(), open()];
    expect([one.credits, other.credits]).toEqual([1, 0]);
    rig.clock.go(250);
    expect([one.credits, other.credits]).toEqual([1, 1]);
    one.media(1);
    other.media(1);
    rig.service.end();
    rig.clock.go(10_000);
    expect(rig.clock.pending).toBe(0);
    expect(rig.line.room.size).toBe(0);
  });
});
