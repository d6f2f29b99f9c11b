/** Every missing second has a cause, also where the recorder was told to stop (principle 4). */
import { expect, it } from 'vitest';
import { PorchlightError } from '../../shared/errors.ts';
import type { Camera } from '../../shared/model/camera.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import { silentLogger } from './core/logger.ts';
import { Director, type DirectorParts, type PlannedOutage } from './director.ts';
import type { IngestStream } from './ports/ingest.ts';

const PORCH = 'cam-aaaaaaaaaaaa' as CameraId;

function camera(extra: Partial<Camera> = {}): Camera {
  const stream = { url: 'rtsp://10.0.0.2/main', videoCodec: 'h264', audioCodec: null, width: 1, height: 1, fps: 1, transport: 'tcp', profileToken: null } as const;
  return {
    id: PORCH, name: 'Porch', device: { maker: '', model: '', firmware: '', serial: '' }, origin: 'rtsp', identity: null, deviceUrl: null, username: null,
    streams: [{ ...stream, kind: 'main' }, { ...stream, kind: 'sub' }], recorded: ['main'], recordSound: true, paused: null, addedMs: 0, ...extra,
  };
}

it('says why a stream is not written, once, and configures what is wanted', async () => {
  let cameras: readonly Camera[] = [camera()];
  let root: { rootId: never; path: string } | null = { rootId: 'disk-aaaaaaaaaaaa' as never, path: '/m' };
  const told: PlannedOutage[] = [];
  const over: PlannedOutage[] = [];
  let streams: readonly IngestStream[] = [];
  const director = new Director({
    registry: { list: () => cameras, login: () => Promise.reject(new Error('the keyring is locked')) },
    ingest: { configure: async (wanted) => void (streams = wanted) },
    previews: { configure: () => undefined },
    ffmpeg: { problem: null, found: { ffmpegPath: 'ffmpeg', version: '7', from: 'path' } },
    rootForRecording: () => root,
    lastSessions: [{ cameraId: PORCH, stream: 'main', session: 41 }],
    whyNoRoot: () => 'disk-missing',
    dataDir: '/d',
    log: silentLogger,
    onPlannedOutage: (outage) => told.push(outage),
    onPlannedOutageOver: (outage) => over.push(outage),
  });
  const causes = (): string[] => told.splice(0).map((outage) => `${outage.stream} ${outage.cause}`);
  await director.apply();
  expect(causes()).toEqual([]);
  expect(streams.map((stream) => [stream.kind, stream.record !== null, stream.afterSession])).toEqual([['main', true, 41], ['sub', false, 0]]);
  root = null;
  await director.apply();
  await director.apply();
  expect(causes()).toEqual(['main disk-missing']);
  root = { rootId: 'disk-aaaaaaaaaaaa' as never, path: '/m' };
  await director.apply();
  cameras = [camera({ paused: { sinceMs: 1, untilMs: null } })];
  await director.apply();
  expect(causes()).toEqual(['main paused-by-you']);
  expect(streams).toEqual([]);
  cameras = [camera({ recorded: ['main', 'sub'] })];
  await director.apply();
  cameras = [];
  await director.apply();
  expect(causes()).toEqual(['main paused-by-you', 'sub paused-by-you']);
  expect(over.map((outage) => `${outage.stream} ${outage.cause}`)).toEqual(['main disk-missing', 'main paused-by-you']);
});

it('says that ffmpeg is missing, until it is found', async () => {
  const told: PlannedOutage[] = [];
  let configured = 0;
  const ffmpeg: DirectorParts['ffmpeg'] = { found: null, problem: new PorchlightError('ffmpeg-missing', 'ffmpeg is not installed.') };
  const director = new Director({
    registry: { list: () => [camera()], login: () => Promise.resolve(null) },
    ingest: { configure: async () => void (configured += 1) },
    previews: { configure: () => undefined },
    ffmpeg,
    rootForRecording: () => ({ rootId: 'disk-aaaaaaaaaaaa' as never, path: '/m' }),
    lastSessions: [],
    whyNoRoot: () => 'disk-missing',
    dataDir: '/d',
    log: silentLogger,
    onPlannedOutage: (outage) => told.push(outage),
    onPlannedOutageOver: () => undefined,
  });
  await director.apply();
  await director.apply();
  expect(told).toEqual([{ cameraId: PORCH, stream: 'main', cause: 'porchlight-failed', detail: 'ffmpeg is not installed.' }]);
  expect(configured).toBe(0);
  Object.assign(ffmpeg, { found: { ffmpegPath: 'ffmpeg', version: '7', from: 'path' }, problem: null });
  await director.apply();
  // What runs goes on with what it has when the settings name a place where there is none.
  Object.assign(ffmpeg, { found: null });
  await director.apply();
  expect([told.length, configured]).toEqual([1, 1]);
});
