/** The recorder against the camera simulator: times, bad days, and what stays on disk. */
import { readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { wallOfMediaMs } from '../../shared/model/segment.ts';
import { readFrameCode } from '../../tools/sim/frame-code.ts';
import { type SimulatorProcess, startSimulatorProcess } from '../support/simulator-process.ts';
import { childrenOf, decodeErrors, KEY, pictures, Rig, streamFacts } from './recorder-rig.ts';

let simulator: SimulatorProcess;
let rig: Rig;

beforeAll(async () => {
  simulator = await startSimulatorProcess(['--cameras', '1', '--source', 'live', '--discovery-port', '0']);
});
afterAll(async () => {
  await simulator.stop();
});
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(async () => {
  await rig.stop();
});

function camera() {
  const [first] = simulator.cameras;
  if (first === undefined) throw new Error('no camera');
  return first;
}

const wanted = () => rig.stream({ url: camera().rtspMain, username: camera().username, password: camera().password, sound: 'copy' });
const quirk = (name: string, value: unknown) => simulator.tell(1, `quirks/${name}`, { value });
const outages = () => rig.all('outage-began');

/** Wall time of each recorded picture minus the clock in it. */
function clockErrors(): number[] {
  return rig.segments.flatMap((segment) => {
    const file = rig.closedPath(segment);
    const video = streamFacts(file).find((stream) => stream.codec_type === 'video');
    const [width, height] = [video?.width ?? 0, video?.height ?? 0];
    return pictures(file, width, height).flatMap(({ mediaMs, pixels }) => {
      const code = readFrameCode(pixels, width, height);
      return code === null ? [] : [wallOfMediaMs(segment, mediaMs) - code.clockMs];
    });
  });
}

describe('time', () => {
  it('of every recorded frame is true within 200 ms, also after a stall of two seconds', async () => {
    await rig.record(wanted());
    await rig.footage(4);
    await quirk('network-stall', 2_000);
    await rig.footage(12);
    await rig.ingest.stop();
    expect(outages()).toEqual([]);
    const errors = clockErrors();
    expect(errors.length).toBeGreaterThan(150);
    // A busy machine wakes the simulator late now and then, which stamps that picture late; recorder-times.test.ts looks at each.
    expect(errors.map(Math.abs).toSorted((a, b) => a - b)[Math.floor(errors.length * 0.97)]).toBeLessThan(200);
    for (const file of await rig.files()) expect(decodeErrors(file)).toBe('');
  });

  it('of the first live picture is given with it, and the current group comes at once', async () => {
    await rig.record(wanted());
    await rig.footage(3);
    const askedMs = Date.now();
    const port = rig.ingest.subscribe({ ...KEY, keyframesOnly: false });
    const kinds: string[] = [];
    const first = await new Promise<{ keyframe: boolean; baseWallMs: number }>((resolve) => {
      port.on('message', (message: { type: string; keyframe?: boolean; baseWallMs?: number }) => {
        kinds.push(message.type);
        if (message.type === 'fragment') resolve({ keyframe: message.keyframe === true, baseWallMs: message.baseWallMs ?? Infinity });
      });
    });
    port.close();
    expect(kinds.slice(0, 2)).toEqual(['init', 'fragment']);
    expect(first.keyframe).toBe(true);
    // From memory: it was filmed before anybody asked.
    expect(first.baseWallMs).toBeLessThan(askedMs);
  });
});

describe('bad days', () => {
  it('a stream that stalls without closing is given up, said so, and taken up again', async () => {
    await rig.record(wanted());
    await rig.footage(2);
    await quirk('stall', true);
    const began = await rig.until('an outage', () => outages()[0]);
    expect(began.cause).toBe('stream-stalled');
    await quirk('stall', false);
    const ended = await rig.until('footage again', () => rig.all('outage-ended').find((notice) => notice.sinceMs !== null), 30_000);
    expect(ended.cause).toBe('stream-stalled');
    expect(ended.atMs).toBeGreaterThan(began.sinceMs);
    await rig.ingest.stop();
    expect(new Set(rig.segments.map((segment) => segment.session)).size).toBe(2);
    for (const file of await rig.files()) expect(decodeErrors(file)).toBe('');
  });

  it('a wrong password is tried once, and again when told', async () => {
    await rig.record({ ...wanted(), password: 'not this' });
    const refused = await rig.until('refusal', () => rig.all('status').find((notice) => notice.status.state === 'refused'));
    expect(refused.problem).toEqual({ cause: 'camera-refused', detail: 'camera answered 401' });
    expect(rig.log.join('\n')).not.toMatch(/not this|not%20this/);
    await rig.record(wanted());
    await rig.footage(1);
  });

  it('a camera that reboots is back within seconds of being there', async () => {
    await rig.record(wanted());
    await rig.footage(2);
    await quirk('reboot', 3_000);
    const began = await rig.until('an outage', () => outages()[0]);
    const ended = await rig.until('footage again', () => rig.all('outage-ended').find((notice) => notice.sinceMs !== null), 30_000);
    expect(ended.atMs - began.sinceMs).toBeLessThan(12_000);
  });

  it('a camera that announces sound and sends none is recorded all the same, at its next start at once, and with sound when it comes', async () => {
    /** How long it takes to the first picture. */
    const start = async (sound: 'none' | 'transcode'): Promise<number> => {
      const startedMs = performance.now();
      await rig.record({ ...wanted(), sound });
      await rig.until('a picture', () => rig.all('status').find((notice) => notice.status.state === 'live'));
      return performance.now() - startedMs;
    };
    const soundOf = (): string | undefined => rig.all('status').findLast((notice) => notice.status.state === 'live')?.status.sound;
    const plainMs = await start('none');
    await rig.nextLife();
    await quirk('silent-audio', true);
    try {
      // In one muxer with the sound, nothing would come for as long as the camera is watched; by itself, ffmpeg waits five seconds more.
      expect((await start('transcode')) - plainMs).toBeLessThan(4_500);
      await rig.until('its silence to be told', () => soundOf() === 'announced-but-silent');
      await rig.until('its silence to be remembered', async () => (await readFile(path.join(rig.folder, 'silent-sound.txt'), 'utf8').catch(() => '')).includes('main'), 40_000);
      await rig.nextLife();
      await start('transcode');
      expect(soundOf()).toBe('announced-but-silent');
      // It asked for pictures alone.
      const commands = await Promise.all((await childrenOf(process.pid)).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
      expect(commands.filter((command) => command.includes('frag_every_frame')).map((command) => [command.includes('pipe:1'), command.includes('pipe:3')])).toEqual([[true, false]]);
    } finally {
      await quirk('silent-audio', false);
    }
    await rig.ingest.retry(KEY.cameraId);
    await rig.until('sound', () => soundOf() === 'transcoded');
    await rig.footage(2);
    await rig.ingest.stop();
    expect(streamFacts((await rig.files()).at(-1) ?? '').map((stream) => stream.codec_type)).toEqual(['video', 'audio']);
  }, 120_000);

  it('another picture size in mid-stream begins a new segment that plays', async () => {
    await rig.record(wanted());
    await rig.footage(2);
    await quirk('codec-change', 'size');
    try {
      await rig.until('a segment of the new size', () => rig.segments.length > 0, 20_000);
      await rig.footage(2);
      await rig.ingest.stop();
      const sizes = (await rig.files()).map((file) => streamFacts(file).find((stream) => stream.codec_type === 'video')?.width);
      expect(new Set(sizes).size).toBe(2);
      for (const file of await rig.files()) expect(decodeErrors(file)).toBe('');
    } finally {
      await quirk('codec-change', '');
    }
  });

  it('a disk that goes away stops nothing but the writing, and is used again when it is back', async () => {
    await rig.record(wanted());
    await rig.footage(1);
    await rename(rig.root.path, `${rig.root.path}.away`);
    await rig.record({ ...wanted(), rotationOffsetMs: 1 });
    const problem = await rig.until('the problem', () => rig.all('root-problem')[0]);
    expect(problem.cause).toBe('disk-missing');
    await rig.until('the picture to be live all the same', () => rig.all('status').findLast(() => true)?.status.state === 'live');
    await rename(`${rig.root.path}.away`, rig.root.path);
    const ended = await rig.until('footage again', () => rig.all('outage-ended').find((notice) => notice.cause === 'disk-missing'), 30_000);
    expect(ended.sinceMs).not.toBeNull();
  });
});
