import { describe, expect, it } from 'vitest';
import { GAP_CAUSES, type GapCause } from '../../../shared/model/gap.ts';
import type { Camera, CameraStatus, ConnectionState, StreamKind } from '../../../shared/model/camera.ts';
import { cameraIdFrom } from '../../../shared/model/ids.ts';
import type { IngestNotice } from '../ports/ingest.ts';
import { HealthBoard } from './health-board.ts';
import { initialHealth, problemSentence, reduceHealth, withDiskProblem } from './health.ts';
import { systemClock } from '../core/clock.ts';

const camera: Camera = {
  id: cameraIdFrom(new Uint8Array(12)),
  name: 'Porch',
  device: { maker: '', model: '', firmware: '', serial: '' },
  origin: 'onvif',
  identity: 'abc',
  deviceUrl: 'http://192.168.1.23/onvif/device_service',
  username: 'admin',
  streams: (['main', 'sub'] as const).map((kind) => ({ kind, url: `rtsp://192.168.1.23/${kind}`, videoCodec: 'h264', audioCodec: null, width: 640, height: 360, fps: 15, transport: 'tcp', profileToken: null })),
  recorded: ['main'],
  recordSound: true,
  paused: null,
  addedMs: 0,
};

function notice(state: ConnectionState, sinceMs: number, problem: { cause: GapCause; detail: string } | null = null, kind: StreamKind = 'main', recording = state === 'live'): { type: 'notice'; notice: IngestNotice } {
  const status = { kind, state, recording, codec: 'h264', width: 640, height: 360, fps: 15, bitsPerSecond: 1, keyframeDistanceMs: 1000, sound: 'none' as const };
  return { type: 'notice', notice: { type: 'status', cameraId: camera.id, stream: kind, status, sinceMs, problem } };
}

const after = (...events: readonly Parameters<typeof reduceHealth>[1][]): CameraStatus => events.reduce((status, event) => reduceHealth(status, event, camera, 1000), initialHealth(camera, 0));

describe('a camera\'s health', () => {
  it('goes from connecting to live to offline, with the time of each change', () => {
    expect(after()).toMatchObject({ state: 'connecting', sinceMs: 0, problem: null });
    expect(after(notice('live', 10))).toMatchObject({ state: 'live', sinceMs: 10, recording: true, problem: null });
    expect(after(notice('live', 10), notice('live', 50))).toMatchObject({ state: 'live', sinceMs: 10 });
    expect(after(notice('live', 10), notice('offline', 90, { cause: 'camera-unreachable', detail: 'no route' }))).toMatchObject({
      state: 'offline',
      sinceMs: 90,
      recording: false,
      problem: { cause: 'camera-unreachable', sentence: 'No answer from 192.168.1.23. It will be picked up again by itself, also at a new address.' },
    });
  });

  it('is the main stream\'s: a sub stream that fails is listed and no more', () => {
    const status = after(notice('live', 10), notice('offline', 20, { cause: 'stream-stalled', detail: '' }, 'sub'));
    expect(status).toMatchObject({ state: 'live', recording: true, problem: null });
    expect(status.streams.map((stream) => [stream.kind, stream.state])).toEqual([['main', 'live'], ['sub', 'offline']]);
  });

  it('live without a disk says so', () => {
    expect(after(notice('live', 10, { cause: 'disk-full', detail: '' }, 'main', false))).toMatchObject({ state: 'live', recording: false, problem: { sentence: expect.stringContaining('disk is full') as string } });
  });

  it('says which disk trouble keeps a live picture from being recorded, and nothing while it is recorded or not there', () => {
    const unrecorded = after(notice('live', 10, null, 'main', false));
    expect(withDiskProblem(unrecorded, 'disk-full')).toMatchObject({ state: 'live', problem: { cause: 'disk-full', sentence: expect.stringContaining('disk is full') } });
    expect(withDiskProblem(unrecorded, 'camera-unreachable')).toBe(unrecorded);
    expect(withDiskProblem(unrecorded, null)).toBe(unrecorded);
    for (const other of [after(notice('live', 10)), after(notice('offline', 10, { cause: 'camera-unreachable', detail: '' }))]) expect(withDiskProblem(other, 'disk-full')).toBe(other);
  });

  it('paused hears nothing until it is resumed', () => {
    const paused: Camera = { ...camera, paused: { sinceMs: 500, untilMs: null } };
    const status = reduceHealth(after(notice('live', 10)), { type: 'configured' }, paused, 600);
    expect(status).toMatchObject({ state: 'paused', sinceMs: 500, recording: false, problem: { cause: 'paused-by-you' } });
    expect(status.streams.every((stream) => stream.state === 'paused' && !stream.recording)).toBe(true);
    expect(reduceHealth(status, notice('live', 700), paused, 700)).toBe(status);
    expect(reduceHealth(status, { type: 'configured' }, camera, 800)).toMatchObject({ state: 'connecting', sinceMs: 800, problem: null });
  });

  it('is the same object when nothing changed', () => {
    const status = after(notice('live', 10));
    expect(reduceHealth(status, { type: 'configured' }, camera, 0)).toBe(status);
    expect(reduceHealth(status, { type: 'clock', offsetMs: null }, camera, 0)).toBe(status);
    expect(reduceHealth(status, { type: 'notice', notice: { type: 'log', level: 'info', message: '' } }, camera, 0)).toBe(status);
    expect(reduceHealth(status, { type: 'clock', offsetMs: 7 }, camera, 0).clockOffsetMs).toBe(7);
  });

  it('has a sentence for every cause, and tells refusals apart', () => {
    for (const cause of GAP_CAUSES) expect(problemSentence(cause, '', camera)).toMatch(/^[A-Z].*\.$/);
    const refused = (detail: string): string => problemSentence('camera-refused', detail, camera);
    expect(refused('401 Unauthorized')).toContain('does not accept the password');
    expect(refused('404 Not Found')).toContain('no such stream');
    expect(refused('453 Not Enough Bandwidth')).toContain('too many viewers');
    expect(refused('camera answered 403')).toContain('does not let this user');
    expect(refused('codec cannot be kept')).toContain('H.264');
    expect(problemSentence('camera-unreachable', '', { ...camera, identity: null })).not.toContain('new address');
  });
});

describe('what asking the camera brought to light', () => {
  const board = (): { readonly board: HealthBoard; readonly sentence: () => string | null } => {
    const made = new HealthBoard({ clock: systemClock, cameras: () => [camera], onChange: () => undefined });
    return { board: made, sentence: () => made.get(camera.id)?.problem?.sentence ?? null };
  };
  const stalled = notice('offline', 10, { cause: 'stream-stalled', detail: 'connected, but no answer was understood' }).notice;

  it('is what the tile says, as long as no pictures come', () => {
    const { board: one, sentence } = board();
    one.take(stalled);
    one.diagnosed(camera.id, 'codec');
    expect(sentence()).toMatch(/kind of video that Porchlight cannot keep/);
    one.take(notice('connecting', 20).notice);
    one.take(stalled);
    expect(sentence()).toMatch(/kind of video that Porchlight cannot keep/);
    one.diagnosed(camera.id, 'no-such-stream');
    expect(sentence()).toMatch(/no such stream any more/);
    one.take(notice('live', 30).notice);
    expect(sentence()).toBeNull();
    one.take(notice('offline', 40, { cause: 'camera-unreachable', detail: 'no route' }).notice);
    expect(sentence()).toMatch(/^No answer from/);
  });

  it('is not asked for where the login was refused last', () => {
    const { board: one } = board();
    one.take(notice('offline', 10, { cause: 'camera-refused', detail: 'camera answered 401' }).notice);
    expect(one.loginRefused(camera.id)).toBe(true);
    one.take(notice('connecting', 20).notice);
    expect(one.loginRefused(camera.id)).toBe(true);
    one.take(notice('offline', 30, { cause: 'camera-unreachable', detail: 'no route' }).notice);
    expect(one.loginRefused(camera.id)).toBe(false);
  });

  it('is said beside pictures where they are another camera\u2019s', () => {
    const { board: one, sentence } = board();
    one.take(notice('live', 10).notice);
    one.diagnosed(camera.id, 'other-camera');
    expect(sentence()).toMatch(/^Another camera answers at 192\.168\.1\.23/);
    one.take(notice('live', 20).notice);
    expect(sentence()).toMatch(/^Another camera answers/);
    one.diagnosed(camera.id, null);
    expect(sentence()).toBeNull();
  });
});
