import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Camera, StreamConfig } from '../../../shared/model/camera.ts';
import { cameraIdFrom, rootIdFrom } from '../../../shared/model/ids.ts';
import { ingestStreams, rotationOffsetMs } from './ingest-plan.ts';

const idOf = (number: number): Camera['id'] => cameraIdFrom(new Uint8Array(12).fill(number));
const stream = (kind: StreamConfig['kind'], audioCodec: StreamConfig['audioCodec']): StreamConfig => ({ kind, url: `rtsp://10.0.0.1/${kind}`, videoCodec: 'h264', audioCodec, width: 1, height: 1, fps: 1, transport: 'tcp', profileToken: null });
const camera = (number: number, more: Partial<Camera> = {}): Camera => ({
  id: idOf(number),
  name: '',
  device: { maker: '', model: '', firmware: '', serial: '' },
  origin: 'onvif',
  identity: null,
  deviceUrl: null,
  username: 'admin',
  streams: [stream('main', 'aac'), stream('sub', 'pcma')],
  recorded: ['main'],
  recordSound: true,
  paused: null,
  addedMs: 0,
  ...more,
});
const root = { rootId: rootIdFrom(new Uint8Array(12)), rootPath: '/footage' };
const plan = (cameras: readonly Camera[]): ReturnType<typeof ingestStreams> => ingestStreams({ cameras, passwords: new Map([[idOf(1), 'pw']]), rootFor: () => root, lastSession: (cameraId, kind) => (cameraId === idOf(1) && kind === 'main' ? 77 : 0) });

describe('the desired streams', () => {
  it('are main, recorded, and sub, open but not recorded', () => {
    expect(plan([camera(1)]).map((one) => [one.kind, one.record, one.sound, one.password])).toEqual([['main', root, 'copy', 'pw'], ['sub', null, 'transcode', 'pw']]);
  });
  it('follow what the owner wants recorded, sound and pauses', () => {
    expect(plan([camera(1, { recorded: ['main', 'sub'], recordSound: false })]).map((one) => [one.record, one.sound])).toEqual([[root, 'none'], [root, 'none']]);
    expect(plan([camera(1, { paused: { sinceMs: 0, untilMs: null } })])).toEqual([]);
  });
  it('begin above their last session on disk, whatever the clock says', () => {
    expect(plan([camera(1), camera(2)]).map((one) => one.afterSession)).toEqual([77, 0, 0, 0]);
  });
  it('stay open without a disk and without a login', () => {
    const [main] = ingestStreams({ cameras: [camera(1, { username: null })], passwords: new Map([[idOf(1), 'left over']]), rootFor: () => null, lastSession: () => 0 });
    expect(main).toMatchObject({ record: null, username: null, password: null });
  });
});

describe('the offset of rotation', () => {
  it('depends on the stream alone, and is within the minute', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), (random) => {
      const id = cameraIdFrom(random);
      const offset = rotationOffsetMs(id, 'main');
      return offset >= 0 && offset < 60_000 && offset === rotationOffsetMs(id, 'main');
    }));
    const alone = plan([camera(1)])[0]?.rotationOffsetMs;
    expect(plan([camera(2), camera(1)])[2]?.rotationOffsetMs).toBe(alone);
  });
  it('spreads sixteen cameras over the minute', () => {
    const offsets = Array.from({ length: 16 }, (_unused, index) => rotationOffsetMs(idOf(index), 'main'));
    expect(new Set(offsets.map((offset) => Math.floor(offset / 10_000))).size).toBeGreaterThanOrEqual(5);
  });
});
