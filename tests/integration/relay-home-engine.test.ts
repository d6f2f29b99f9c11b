/** A real home with sound and two streams, looked into over a real relay: sound by grant, the proofs, and what the relay was given. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningRelay, startRelay } from '../../relay/server.ts';
import { EngineClient } from '../../renderer/api/engine-client.ts';
import { connectToHome } from '../../renderer/relay/connect-to-home.ts';
import { HomeLine } from '../../renderer/relay/home-line.ts';
import type { InitChunk, MediaName, MediaOpenInput } from '../../shared/contract/media.ts';
import { boxesIn } from '../../shared/media/boxes.ts';
import { parseFragment } from '../../shared/media/fragment.ts';
import { type InitSegment, parseInit } from '../../shared/media/init.ts';
import type { Camera } from '../../shared/model/camera.ts';
import type { RemoteHome, Right } from '../../shared/model/remote.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { pairAway } from '../support/pair-away.ts';
import { waitFor } from '../support/wait.ts';

const LONG_MS = 120_000;
let simulator: Simulator;
let relay: RunningRelay;
let home: TestEngine;
let away: TestEngine;
let porch: Camera;
let paired: RemoteHome;
let guest: EngineClient;

beforeAll(async () => {
  const size = { width: 480, height: 270, fps: 10, kbps: 250, gopFrames: 10, seconds: 10 };
  simulator = await startSimulator({ cameras: 1, hosts: ['127.0.72.2'], source: 'test', main: { ...size, width: 640, height: 360 }, sub: { ...size, width: 384, height: 216, kbps: 80 }, audio: 'aac', discovery: false });
  relay = await startRelay();
  [home, away] = await Promise.all([TestEngine.started(), TestEngine.started()]);
  porch = await home.add(forceUnwrap('one camera', simulator.cameras[0]));
  await home.ask('cameras.update', { cameraId: porch.id, name: 'Porch of Lakeside', recordSound: true });
  await home.ask('settings.set', { homeName: 'Lakeside' });
  await home.footage(porch.id, 4);
  paired = await pairAway({ home, away, relayUrl: relay.url, grants: grants('live', 'playback', 'previews', 'sound') });
  guest = new EngineClient({ connect: () => connectToHome(paired.id, away.client, new HomeLine()), retryMs: () => 200 });
}, LONG_MS);
afterAll(async () => {
  guest?.close();
  await Promise.all([home?.end(), away?.end()]);
  await relay?.stop(0);
  await simulator?.stop();
}, LONG_MS);

const grants = (...rights: Right[]) => ({ cameras: [{ cameraId: porch.id, rights }], untilMs: null });

interface Heard {
  init: InitSegment | null;
  initChunk: InitChunk | null;
  readonly pictures: { count: number };
  readonly sounds: { count: number };
}

/** What comes of a picture until enough of it came, by the tracks its fragments are of. */
async function watch<Name extends MediaName>(name: Name, input: MediaOpenInput<Name>): Promise<Heard> {
  const heard: Heard = { init: null, initChunk: null, pictures: { count: 0 }, sounds: { count: 0 } };
  const failed: Error[] = [];
  const handle = guest.openMedia(name, input, 200, {
    onChunk: (chunk, payload) => {
      if (chunk.kind === 'init') {
        heard.initChunk = chunk;
        heard.init = parseInit(forceUnwrap('an init has bytes', payload));
      }
      if (chunk.kind !== 'media' || heard.init === null || payload === null) return;
      for (const moof of boxesIn(payload)) {
        if (moof.type !== 'moof') continue;
        for (const { trackId, samples } of parseFragment(payload, heard.init, moof.start)) {
          const isSound = heard.init.tracks.find(({ id }) => id === trackId)?.kind !== 'video';
          (isSound ? heard.sounds : heard.pictures).count += samples.length;
        }
      }
    },
    onClosed: (error) => failed.push(error ?? new Error('it ended')),
  });
  await waitFor('two seconds of pictures', () => {
    if (failed[0] !== undefined) throw failed[0];
    return heard.pictures.count > 20;
  }, 40_000);
  handle.close();
  return heard;
}

describe('sound', () => {
  const both = async (): Promise<readonly [Heard, Heard]> => [await watch('live', { cameraId: porch.id, stream: 'main' }), await watch('playback', { cameraId: porch.id, stream: 'main', fromMs: Date.now() - 4_000, seekId: 1 })];

  test('comes along where it is granted, live and recorded', async () => {
    await waitFor('the camera', async () => (await guest.ask('cameras.list', {})).length === 1);
    for (const heard of await both()) {
      expect(heard.init?.tracks.map(({ kind }) => kind).toSorted()).toEqual(['audio', 'video']);
      expect(heard.sounds.count).toBeGreaterThan(10);
    }
  }, LONG_MS);

  test('stays at home where it is not, and the picture runs without it', async () => {
    const [device] = (await home.ask('remote.state', {})).devices;
    await home.ask('remote.setGrants', { deviceId: forceUnwrap('one is paired', device).id, grants: grants('live', 'playback', 'previews') });
    await waitFor('the new rights', async () => (await guest.ask('cameras.list', {}).catch(() => []))[0]?.rights?.includes('sound') === false);
    const [live, playback] = await both();
    for (const heard of [live, playback]) expect([heard.init?.tracks.map(({ kind }) => kind), heard.sounds.count]).toEqual([['video'], 0]);
    expect(live.initChunk).toMatchObject({ stream: 'main' });
    expect(live.initChunk?.because).toBeUndefined();
    const sub = await watch('live', { cameraId: porch.id, stream: 'sub' });
    expect([sub.initChunk?.stream, sub.init?.tracks[0]?.width]).toEqual(['sub', 384]);
  }, LONG_MS);
});

test('the owner sees what the relay was given, and the proofs pass with their controls', async () => {
  await waitFor('a preview', async () => (await guest.ask('previews.latest', { cameraId: porch.id })).item);
  const capture = await home.ask('remote.capture', {});
  expect(capture.bytes).toBeGreaterThan(50_000);
  expect(capture.entropyBits).toBeGreaterThan(7.9);
  expect(capture.newest.length).toBeGreaterThan(10);
  expect(JSON.stringify(capture)).not.toContain('Lakeside');
  for (const check of ['search', 'keys', 'misroute'] as const) {
    const proof = await home.ask('remote.prove', { check });
    expect(proof, check).toMatchObject({ passed: true, hits: 0 });
    expect(proof.controlHits, check).toBeGreaterThan(0);
  }
  // A rehearsal is nobody who looks in.
  expect((await home.ask('remote.state', {})).watching.map(({ deviceName }) => deviceName)).toEqual(['Laptop']);
}, LONG_MS);
