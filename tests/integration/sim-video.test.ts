import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FrameCode } from '../../tools/sim/frame-code.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import type { SimCamera } from '../../tools/sim/camera.ts';
import type { SimVideo } from '../../tools/sim/sources.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { decodeCodes, probeStreams, BareRtspClient, run, until } from './sim-support.ts';

const SMALL: Partial<SimVideo> = { width: 640, height: 360, kbps: 500, seconds: 10 };
const SMALL_SUB: Partial<SimVideo> = { width: 320, height: 180, kbps: 200, seconds: 10 };
const LOOP_FRAMES = 150;

function first(simulator: Simulator): SimCamera {
  return forceUnwrap('the simulator was started with a camera', simulator.cameras[0]);
}

async function withCamera(options: Parameters<typeof startSimulator>[0], use: (camera: SimCamera, simulator: Simulator) => Promise<void>): Promise<void> {
  const simulator = await startSimulator({ main: SMALL, sub: SMALL_SUB, discovery: false, ...options });
  try {
    await use(first(simulator), simulator);
  } finally {
    await simulator.stop();
  }
}

/** Every picture readable, and each one the next of the loop. */
function expectConsecutive(codes: readonly (FrameCode | null)[]): void {
  const numbers = codes.map((code) => code?.frameNumber ?? -1);
  const start = numbers[0] ?? -1;
  expect(start).toBeGreaterThanOrEqual(0);
  expect(numbers).toEqual(numbers.map((_, index) => (start + index) % LOOP_FRAMES));
}

describe('a foreign client reads what was sent', () => {
  let simulator: Simulator;
  let camera: SimCamera;
  beforeAll(async () => {
    simulator = await startSimulator({ main: SMALL, sub: SMALL_SUB, discovery: false });
    camera = first(simulator);
  });
  afterAll(() => simulator.stop());

  test.each(['tcp', 'udp'] as const)('H.264 with AAC over %s, digest login, as the send log says', async (transport) => {
    const codes = await decodeCodes(camera.rtspUrlWithLogin(), { transport, frames: 30 });
    expect(codes).toHaveLength(30);
    expectConsecutive(codes);
    const sent = camera.sendLog('main').map((entry) => entry.frameIndex);
    expect(sent).toEqual(expect.arrayContaining(codes.map((code) => code?.frameNumber)));
  });

  test('both streams are described with their codecs and sizes', async () => {
    expect(await probeStreams(camera.rtspUrlWithLogin('main'))).toMatchObject([
      { codec_name: 'h264', width: 640, height: 360 },
      { codec_name: 'aac', sample_rate: '16000' },
    ]);
    expect((await probeStreams(camera.rtspUrlWithLogin('sub')))[0]).toMatchObject({ codec_name: 'h264', width: 320, height: 180 });
  });

  test('two clients at once each get the whole stream', async () => {
    const both = await Promise.all([1, 2].map(() => decodeCodes(camera.rtspUrlWithLogin(), { transport: 'tcp', frames: 15 })));
    for (const codes of both) expectConsecutive(codes);
  });

  test('a wrong password is refused', async () => {
    const { code, stderr } = await run('ffprobe', ['-v', 'error', camera.rtspUrlWithLogin().replace(camera.password, 'wrong')]);
    expect(code).not.toBe(0);
    expect(stderr).toContain('401');
  });

  test('a path that is not there is answered 404', async () => {
    const { stderr } = await run('ffprobe', ['-v', 'error', camera.rtspUrlWithLogin().replace('/main', '/third')]);
    expect(stderr).toContain('404');
  });
});

test.each([
  ['h265', 'pcmu', 'hevc', 'pcm_mulaw'],
  ['mjpeg', 'pcma', 'mjpeg', 'pcm_alaw'],
] as const)('%s with %s is read back, over TCP with basic login', async (codec, audio, videoName, audioName) => {
  await withCamera({ main: { ...SMALL, codec }, sub: null, audio, auth: 'basic' }, async (camera) => {
    expect(await probeStreams(camera.rtspUrlWithLogin())).toMatchObject([{ codec_name: videoName }, { codec_name: audioName, sample_rate: '8000' }]);
    expectConsecutive(await decodeCodes(camera.rtspUrlWithLogin(), { transport: 'tcp', frames: 20 }));
  });
});

test('B-frames arrive out of order and are shown in order', async () => {
  await withCamera({ main: { ...SMALL, bFrames: 2 }, sub: null, auth: 'none' }, async (camera) => {
    expectConsecutive(await decodeCodes(camera.rtspUrl(), { transport: 'tcp', frames: 30 }));
    const sent = camera.sendLog('main').map((entry) => entry.frameIndex);
    expect(sent).not.toEqual(sent.toSorted((a, b) => a - b));
    for (const entry of camera.sendLog('main')) expect(entry.capturedMs).toBeLessThanOrEqual(entry.sentMs + 5);
  });
});

test.each(['h264', 'h265'] as const)('with the live clock in %s each picture carries the wall clock that the send log has for it', async (codec) => {
  await withCamera({ source: 'live', main: { codec }, sub: null, audio: 'none' }, async (camera) => {
    const before = Date.now();
    expect((await probeStreams(camera.rtspUrlWithLogin()))[0]?.codec_name).toBe(codec === 'h264' ? 'h264' : 'hevc');
    const codes = await decodeCodes(camera.rtspUrlWithLogin(), { transport: 'tcp', frames: 30 });
    const log = new Map(camera.sendLog('main').map((entry) => [entry.frameIndex, entry]));
    // The first picture anybody gets is a keyframe: the log says so of the same picture.
    expect(log.get(codes[0]?.frameNumber ?? -1)?.keyframe).toBe(true);
    for (const code of codes) {
      const entry = log.get(code?.frameNumber ?? -1);
      expect(code?.clockMs).toBe(entry?.capturedMs);
      expect(code?.clockMs ?? 0).toBeGreaterThanOrEqual(before - 1000);
      // An encoder that shares its core with others is late, but never by minutes: another picture's time would be.
      expect((entry?.sentMs ?? Infinity) - (entry?.capturedMs ?? 0)).toBeLessThan(10_000);
    }
  });
});

test('sender reports tie RTP time to the wall clock of capture', async () => {
  await withCamera({ auth: 'none' }, async (camera) => {
    const client = new BareRtspClient(camera.host, camera.rtspPort);
    expect(await client.play(camera.rtspUrl())).toContain('RTP-Info: url=');
    const report = await until('a sender report', () => client.packets.find((packet) => packet.channel === 1 && packet.data[1] === 200));
    const ntpMs = (report.data.readUInt32BE(8) - 2_208_988_800) * 1000 + (report.data.readUInt32BE(12) / 2 ** 32) * 1000;
    const rtpTimestamp = report.data.readUInt32BE(16);
    const entry = await until('the picture in the send log', () => camera.sendLog('main').find((one) => one.rtpTimestamp === rtpTimestamp));
    expect(Math.abs(ntpMs - entry.capturedMs)).toBeLessThan(1);
    client.close();
  });
});
