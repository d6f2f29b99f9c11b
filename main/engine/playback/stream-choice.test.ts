import { describe, expect, it } from 'vitest';
import type { Camera, StreamKind } from '../../../shared/model/camera.ts';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { Segment } from '../../../shared/model/segment.ts';
import { systemClock } from '../core/clock.ts';
import type { LocatedSegment } from '../ports/archive.ts';
import { StreamFootage } from './footage.ts';
import { footageToPlay, streamToServe } from './stream-choice.ts';

const cameraId = 'cam-aaaaaaaaaaaa' as CameraId;
const camera = (streams: readonly StreamKind[], recorded: readonly StreamKind[]): Camera => ({
  id: cameraId, name: 'Porch', device: { maker: '', model: '', firmware: '', serial: '' }, origin: 'onvif', identity: null, deviceUrl: null, username: null,
  streams: streams.map((kind) => ({ kind, url: 'rtsp://192.168.1.23/', videoCodec: 'h264', audioCodec: null, width: 1, height: 1, fps: 1, transport: 'tcp', profileToken: null })),
  recorded, recordSound: true, paused: null, addedMs: 0,
});

describe('the stream that is served', () => {
  it.each([
    ['live sub of a camera that records main alone', 'live', 'sub', camera(['main', 'sub'], ['main']), 'sub'],
    ['live sub of a camera without', 'live', 'sub', camera(['main'], ['main']), 'main'],
    ['the best', 'live', 'best', camera(['main', 'sub'], ['main', 'sub']), 'main'],
    ['recorded sub', 'playback', 'sub', camera(['main', 'sub'], ['main', 'sub']), 'sub'],
    ['sub that is not recorded', 'playback', 'sub', camera(['main', 'sub'], ['main']), 'main'],
    ['the best that is recorded', 'playback', 'best', camera(['main', 'sub'], ['main', 'sub']), 'main'],
  ] as const)('%s', (_, name, wanted, from, served) => {
    expect(streamToServe(name, wanted, from, undefined)).toBe(served);
  });

  it('of a camera off the list is its footage, never live', () => {
    const gone = camera(['main', 'sub'], ['main', 'sub']);
    expect(streamToServe('playback', 'sub', undefined, gone)).toBe('sub');
    expect(streamToServe('live', 'main', undefined, gone)).toBeNull();
    expect(streamToServe('playback', 'main', undefined, undefined)).toBeNull();
  });
});

describe('the footage that is played', () => {
  /** An hour ago; nothing asks for the open segment. */
  const baseMs = Date.now() - 3_600_000;
  const footage = (...ranges: readonly (readonly [number, number])[]): StreamFootage => {
    const segments = ranges.map(([fromMs, toMs], at): LocatedSegment => {
      const segment: Segment = { cameraId, stream: 'main', rootId: 'disk-aaaaaaaaaaaa' as RootId, session: 1 + at, sequence: 0, nameMs: 0, startMs: baseMs + fromMs, endMs: baseMs + toMs, sizeBytes: 1, initBytes: 1, videoFrames: 1, keyframes: [] };
      return { segment, path: '/nowhere.mp4' };
    });
    const reader = {
      segmentAt: (_: unknown, atMs: number) => Promise.resolve(segments.find(({ segment }) => segment.startMs <= atMs && atMs < segment.endMs) ?? null),
      firstSegmentHere: () => Promise.resolve(null),
      firstSegmentFrom: (_: unknown, atMs: number) => Promise.resolve(segments.find(({ segment }) => segment.startMs >= atMs) ?? null),
      segmentAfter: () => Promise.resolve(null),
      gapAt: () => Promise.resolve(null),
    };
    return new StreamFootage({ reader, ingest: { openSegment: () => Promise.resolve(null) }, clock: systemClock }, { cameraId, stream: 'main' });
  };

  it.each([
    ['the small one where it covers the moment', [[0, 60_000]], [[0, 60_000]], 30_000, 'sub'],
    ['main where the small one was recorded later', [[600_000, 660_000]], [[0, 60_000]], 30_000, 'main'],
    ['main where it comes first after a gap', [[600_000, 660_000]], [[100_000, 160_000]], 30_000, 'main'],
    ['main where there is no small one after the moment', [], [[0, 60_000]], 30_000, 'main'],
    ['the small one where both come back together', [[101_500, 160_000]], [[100_000, 160_000]], 30_000, 'sub'],
    ['the small one where there is nothing at all', [], [], 30_000, 'sub'],
  ] as const)('is %s', async (_, small, whole, atMs, played) => {
    const [sub, main] = [footage(...small), footage(...whole)];
    expect(await footageToPlay(baseMs + atMs, sub, main)).toBe(played === 'sub' ? sub : main);
  });

  it('is what was asked for where nothing stands in', async () => {
    const main = footage();
    expect(await footageToPlay(baseMs, main, null)).toBe(main);
  });
});
