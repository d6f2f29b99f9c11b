/** Bad days of cameras: unplugged, rebooted, moved, stalled, changed in mid-stream, silent. Each camera has its own, all at the same time, and one engine records them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CameraId } from '../../shared/model/ids.ts';
import { forceUnwrap } from '../../shared/result.ts';
import type { SimCamera } from '../../tools/sim/camera.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { startChild } from '../support/child.ts';
import { TestEngine } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';
import { decodeErrors, streamFacts } from './recorder-rig.ts';

const DISCOVERY_PORT = 3702;
/** What had arrived before a bad moment may be missing for so long; I4 says a second, a slow test machine gets half of one more. */
const LOST_MS = 1_500;
const ROLES = ['unplugged', 'rebooted', 'moved', 'stalled', 'hanging', 'resized', 'recoded', 'silent'] as const;
type Role = (typeof ROLES)[number];

let simulator: Simulator;
let engine: TestEngine;
const ids = new Map<Role, CameraId>();

const camera = (role: Role): SimCamera => forceUnwrap('every role has a camera', simulator.cameras[ROLES.indexOf(role)]);
const idOf = (role: Role): CameraId => forceUnwrap('it was added', ids.get(role));

async function add(role: Role): Promise<CameraId> {
  const { id } = await engine.add(camera(role));
  ids.set(role, id);
  return id;
}

beforeAll(async () => {
  // A password of its own: whatever else is simulated on this computer answers discovery too.
  const size = { width: 480, height: 270, fps: 10, kbps: 250, gopFrames: 10, seconds: 10 };
  simulator = await startSimulator({
    cameras: ROLES.length, names: ROLES, hosts: ROLES.map((_role, index) => `127.0.60.${index + 2}`), password: 'seven-bad-days',
    source: 'test', main: size, sub: null, audio: ROLES.map((role) => (role === 'silent' ? 'pcma' : 'none')), discovery: { port: DISCOVERY_PORT },
  });
  // A demo searches this computer's own network, where simulated cameras are.
  engine = await TestEngine.started({ init: { demo: true } });
});

afterAll(async () => {
  await engine?.end();
  await simulator?.stop();
});

describe.concurrent('a camera', () => {
  test('that is unplugged in mid-stream leaves a gap that says so, and is recorded again when it is back', async () => {
    const id = await add('unplugged');
    await engine.footage(id, 3);
    const unpluggedMs = Date.now();
    await camera('unplugged').unplug();
    const status = await waitFor('it to be offline', async () => {
      const now = await engine.status(id);
      return now.state === 'offline' && now.problem?.cause === 'camera-unreachable' ? now : null;
    });
    expect(status).toMatchObject({ recording: false, problem: { sentence: expect.stringMatching(/No answer from 127\.0\.60\.2\. .*picked up again by itself/) } });
    const replugged = Date.now();
    await camera('unplugged').replug();
    const gap = await engine.closedGap(id, 'camera-unreachable', unpluggedMs);
    expect(gap.startMs).toBeGreaterThan(unpluggedMs - LOST_MS);
    expect(gap.startMs).toBeLessThan(unpluggedMs + 1_000);
    expect(gap.endMs).toBeGreaterThan(replugged - 1_000);
    expect(await engine.status(id)).toMatchObject({ state: 'live', recording: true, problem: null });
  });

  test('that reboots is back by itself', async () => {
    const id = await add('rebooted');
    await engine.footage(id, 3);
    const downMs = Date.now();
    await camera('rebooted').reboot(4_000);
    const gap = await engine.closedGap(id, 'camera-unreachable', downMs);
    expect(gap.startMs).toBeGreaterThan(downMs - LOST_MS);
    // Down for four seconds; the ladder's steps are short in the first ten.
    expect(gap.endMs - gap.startMs).toBeLessThan(20_000);
  });

  test('that comes back under another address is found by its identity', async () => {
    const id = await add('moved');
    await engine.footage(id, 2);
    const movedMs = Date.now();
    await camera('moved').moveTo('127.0.61.99');
    const moved = await waitFor('the new address', async () => {
      const listed = (await engine.ask('cameras.list', {})).find((one) => one.camera.id === id);
      return listed?.camera.deviceUrl?.includes('127.0.61.99') === true ? listed.camera : null;
    }, 60_000);
    expect(moved.streams.map((stream) => new URL(stream.url).hostname)).toEqual(['127.0.61.99']);
    const gap = await engine.closedGap(id, 'camera-unreachable', movedMs);
    expect(gap.startMs).toBeGreaterThan(movedMs - LOST_MS);
    expect((await engine.ask('cameras.list', {})).filter((one) => one.camera.device.serial === moved.device.serial)).toHaveLength(1);
  });

  test('whose stream stalls without closing is noticed, and recorded when it goes on', async () => {
    const id = await add('stalled');
    await engine.footage(id, 3);
    const stalledMs = Date.now();
    await camera('stalled').setQuirk('stall', true);
    const status = await waitFor('the stall to be noticed', async () => {
      const now = await engine.status(id);
      return now.problem?.cause === 'stream-stalled' ? now : null;
    });
    expect(Date.now() - stalledMs).toBeLessThan(15_000);
    expect(status).toMatchObject({ recording: false, problem: { sentence: expect.stringContaining('stopped sending pictures') } });
    await camera('stalled').setQuirk('stall', false);
    const gap = await engine.closedGap(id, 'stream-stalled', stalledMs);
    expect(gap.startMs).toBeGreaterThan(stalledMs - LOST_MS);
  });

  test('that hangs and then goes away leaves a part for each: what each attempt to connect found out', async () => {
    const id = await add('hanging');
    await engine.footage(id, 3);
    const stalledMs = Date.now();
    await camera('hanging').setQuirk('stall', true);
    // Longer than ffmpeg waits for an answer: more than one attempt has connected, and heard nothing.
    await waitFor('half a minute of silence, still called one', async () => {
      const gap = (await engine.timeline(id)).gaps.at(-1);
      if (gap !== undefined && gap.cause !== 'stream-stalled') throw new Error(JSON.stringify(gap));
      return gap !== undefined && gap.endMs - gap.startMs > 25_000;
    }, 60_000);
    expect((await engine.status(id)).problem).toMatchObject({ cause: 'stream-stalled', sentence: expect.stringContaining('is there but') });
    await camera('hanging').unplug();
    await camera('hanging').setQuirk('stall', false);
    await waitFor('seconds without a camera', async () => {
      const gap = (await engine.timeline(id)).gaps.at(-1);
      return gap?.cause === 'camera-unreachable' && gap.endMs - gap.startMs > 8_000;
    }, 60_000);
    await camera('hanging').replug();
    const away = await engine.closedGap(id, 'camera-unreachable', stalledMs, 60_000);
    const { gaps } = await engine.timeline(id);
    expect(gaps.map((gap) => gap.cause)).toEqual(['stream-stalled', 'camera-unreachable']);
    expect(gaps[0]?.startMs).toBeGreaterThan(stalledMs - LOST_MS);
    expect(gaps[0]?.endMs).toBe(away.startMs);
    const events = await engine.ask('events.list', { cameraIds: [id], startMs: stalledMs - 60_000, endMs: Date.now() });
    expect(events.map((event) => [event.kind, event.startMs, event.endMs])).toEqual([['camera-offline', gaps[0]?.startMs, away.endMs], ['camera-online', away.endMs, away.endMs]]);
  }, 180_000);

  test('that changes the size of its pictures in mid-stream goes on being recorded', async () => {
    const id = await add('resized');
    await engine.footage(id, 3);
    await camera('resized').setQuirk('codec-change', 'size');
    await waitFor('the new size', async () => (await engine.status(id)).streams[0]?.width === 960);
    await engine.footage(id, 2);
    expect(await engine.status(id)).toMatchObject({ state: 'live', recording: true, problem: null });
  });

  test('that changes from H.264 to H.265 goes on being recorded', async () => {
    const id = await add('recoded');
    await engine.footage(id, 3);
    await camera('recoded').setQuirk('codec-change', 'h265');
    await waitFor('H.265', async () => /^h(ev|vc)1/.test((await engine.status(id)).streams[0]?.codec ?? ''));
    await engine.footage(id, 2);
    expect(await engine.status(id)).toMatchObject({ state: 'live', recording: true, problem: null });
  });

  test('that announces sound and sends none shows pictures all the same', async () => {
    await camera('silent').setQuirk('silent-audio', true);
    const id = await add('silent');
    const addedMs = performance.now();
    await waitFor('a picture', async () => (await engine.status(id)).recording);
    // Waiting for its sound, ffmpeg would show nothing for as long as it is watched; six cameras more are added at the same time.
    expect(performance.now() - addedMs).toBeLessThan(20_000);
    await engine.footage(id, 2);
    expect((await engine.status(id)).streams[0]).toMatchObject({ state: 'live', sound: 'announced-but-silent' });
  });
});

describe('after these days', () => {
  test('every file plays, old and new halves alike, and the check finds nothing', async () => {
    await engine.stop();
    const facts = new Map<string, Set<string>>();
    for (const file of await engine.files()) {
      const [role, cameraId] = forceUnwrap('files lie under their camera', [...ids].find(([, id]) => file.includes(id)));
      expect(decodeErrors(file), `${role}: ${file}`).toBe('');
      const video = forceUnwrap('every file has video', streamFacts(file).find((stream) => stream.codec_type === 'video'));
      facts.set(cameraId, (facts.get(cameraId) ?? new Set()).add(`${video.codec_name} ${video.width}`));
    }
    expect(facts.get(idOf('resized'))).toEqual(new Set(['h264 480', 'h264 960']));
    expect(facts.get(idOf('recoded'))).toEqual(new Set(['h264 480', 'hevc 480']));
    expect(facts.size).toBe(ROLES.length);
    const check = startChild(process.execPath, ['tools/check.ts', '--media', engine.init.mediaDir, '--data', engine.init.dataDir]);
    expect(await check.ended, check.output()).toBe(0);
  }, 120_000);
});
