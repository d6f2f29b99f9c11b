/** Bad days of ffmpeg: missing, too old, crashing; and of an engine that is killed while a camera is stalled. */
import { chmod, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { processIdentity } from '../../main/engine/ffmpeg/ledger.ts';
import { runToEnd } from '../../main/engine/ffmpeg/process.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import { forceUnwrap } from '../../shared/result.ts';
import type { SimCamera } from '../../tools/sim/camera.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { ffmpegOf, TestEngine, writeScript } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';
import { decodeErrors } from './recorder-rig.ts';

const KEYFRAME_MS = 1_000;
/** A stalled ffmpeg ends by itself 8 s after the last byte; what happens sooner has another cause. */
const BEFORE_ITS_OWN_END_MS = 6_000;
/** What a machine that is busy with other tests may take longer to start a program. */
const SLOW_MACHINE_MS = 5_000;
/** Programs the engine runs beside ffmpeg: children that die with it need this one on Linux. */
const GUARD = 'setpriv';

let simulator: Simulator;
let bin: string;
let engine: TestEngine;

const camera = (): SimCamera => forceUnwrap('the simulator has one', simulator.cameras[0]);
const gone = async (pid: number): Promise<boolean> => (await processIdentity(pid)) === null;

/** Until it has written nothing between two looks: one that still writes ends by itself when nobody reads. */
async function isSilent(pid: number): Promise<void> {
  let before = '';
  await waitFor('ffmpeg to fall silent', async () => {
    const written = /wchar: (\d+)/.exec(await readFile(`/proc/${pid}/io`, 'utf8'))?.[1] ?? '';
    const same = written === before;
    before = written;
    return same;
  }, BEFORE_ITS_OWN_END_MS, 400);
}

async function link(program: string): Promise<void> {
  const which = await runToEnd('which', [program], 5_000);
  await symlink(which.stdout.trim(), path.join(bin, program));
}

/** The one sentence of this kind in `app.info`, or null. */
async function sentence(kind: string): Promise<string | null> {
  return (await engine.info()).warnings.find((warning) => warning.kind === kind)?.sentence ?? null;
}

beforeAll(async () => {
  const size = { width: 480, height: 270, fps: 10, kbps: 250, gopFrames: 10, seconds: 10 };
  simulator = await startSimulator({ cameras: 1, hosts: ['127.0.64.2'], source: 'test', main: size, sub: null, audio: 'none', discovery: false });
});
afterAll(async () => {
  await simulator?.stop();
});
beforeEach(async () => {
  // The engine's whole PATH: what is linked here is what is installed.
  bin = await mkdtemp(path.join(tmpdir(), 'porchlight-bin-'));
});
afterEach(async () => {
  await camera().setQuirk('stall', false);
  await engine?.end();
  await rm(bin, { recursive: true, force: true });
});

describe('an ffmpeg', () => {
  test('that is not installed is asked for in a sentence, and used as soon as it appears', async () => {
    await link(GUARD);
    engine = await TestEngine.started({ env: { PATH: bin } });
    expect((await engine.info()).ffmpeg).toBeNull();
    expect(await sentence('ffmpeg-missing')).toMatch(/ffmpeg is not installed, and Porchlight needs it to record\. Install it .*Settings\./);
    const addedMs = Date.now();
    const { id } = await engine.add(camera());
    const problem = await waitFor('the camera to say so', async () => (await engine.status(id)).problem);
    expect(problem).toEqual({ cause: 'porchlight-failed', sentence: expect.stringMatching(/^Not recording: ffmpeg is not installed, .*Settings\.$/) });
    expect(await engine.status(id)).toMatchObject({ state: 'offline', recording: false });
    await link('ffmpeg');
    await waitFor('it to be found', async () => (await engine.info()).ffmpeg !== null);
    await engine.footage(id, 2);
    expect((await engine.info()).warnings).toEqual([]);
    expect(await engine.status(id)).toMatchObject({ state: 'live', recording: true, problem: null });
    const gap = await engine.closedGap(id, 'porchlight-failed', addedMs);
    expect((await engine.timeline(id)).gaps).toEqual([gap]);
  });

  test('that is too old, or not there where the settings say, is refused in a sentence while the one in use goes on', async () => {
    await Promise.all([link(GUARD), mkdir(path.join(bin, 'old'))]);
    await writeScript(path.join(bin, 'ffmpeg'), 'echo "ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright (c) 2000-2021 the FFmpeg developers"');
    engine = await TestEngine.started({ env: { PATH: bin } });
    const tooOld = /^This ffmpeg is version 4\.4\.2\S*; Porchlight needs 5\.0 or newer\. Update it, or name a newer one under Settings\.$/;
    expect(await sentence('ffmpeg-too-old')).toMatch(tooOld);
    const { id } = await engine.add(camera());
    const real = (await runToEnd('which', ['ffmpeg'], 5_000)).stdout.trim();
    await engine.ask('settings.set', { ffmpegPath: real });
    await engine.footage(id, 2);
    expect((await engine.info()).warnings).toEqual([]);
    expect((await engine.info()).ffmpeg).toMatchObject({ path: real, source: 'setting' });
    await engine.ask('settings.set', { ffmpegPath: path.join(bin, 'ffmpeg') });
    expect(await waitFor('the sentence', () => sentence('ffmpeg-too-old'))).toMatch(tooOld);
    await engine.ask('settings.set', { ffmpegPath: path.join(bin, 'nowhere') });
    expect(await waitFor('the sentence', () => sentence('ffmpeg-missing'))).toContain(`There is no ffmpeg at ${bin}/nowhere.`);
    const before = await engine.footage(id, 1);
    await engine.ask('settings.set', { ffmpegPath: real });
    await waitFor('all to be well', async () => (await engine.info()).warnings.length === 0);
    const after = await waitFor('more footage', async () => {
      const { spans } = await engine.timeline(id);
      return (spans.at(-1)?.endMs ?? 0) > before.endMs + 1_000 ? spans : null;
    });
    expect(after).toHaveLength(1);
  });

  test('that crashes is replaced at once: a small gap that blames us, and what was recorded stays', async () => {
    engine = await TestEngine.started();
    const { id } = await engine.add(camera());
    await engine.footage(id, 3);
    const [pid] = await ffmpegOf(engine.pid);
    const killedMs = Date.now();
    process.kill(forceUnwrap('it records', pid), 'SIGKILL');
    const gap = await engine.closedGap(id, 'porchlight-failed', killedMs);
    expect(gap.startMs).toBeGreaterThan(killedMs - 2_000);
    expect(gap.endMs - gap.startMs).toBeLessThan(3_000 + KEYFRAME_MS + SLOW_MACHINE_MS);
    await engine.stop();
    const files = await engine.files();
    expect(files).toHaveLength(2);
    for (const file of files) expect(decodeErrors(file), file).toBe('');
  });
});

describe('an ffmpeg that goes bad in use', () => {
  const real = async (): Promise<string> => (await runToEnd('which', ['ffmpeg'], 5_000)).stdout.trim();
  /** Works for everything but recording, where it crashes like a program with a fault. */
  const faulty = async (): Promise<void> => await writeScript(path.join(bin, 'ffmpeg'), `case "$*" in *frag_every_frame*) kill -SEGV $$;; *) exec ${await real()} "$@";; esac`);

  test.each([
    ['crashes each time', async () => await faulty(), /^Not recording: ffmpeg, .* crashes on this stream/],
    ['is gone', async () => await rm(path.join(bin, 'ffmpeg')), /^Not recording: ffmpeg, .* does not start/],
    ['cannot be run', async () => await chmod(path.join(bin, 'ffmpeg'), 0o600), /^Not recording: ffmpeg, .* does not start/],
  ])('that %s: the camera says so, the gap blames Porchlight, and all goes on when it is well again', async (_how, spoil, sentenceOf) => {
    await link(GUARD);
    const well = `exec ${await real()} "$@"`;
    await writeScript(path.join(bin, 'ffmpeg'), well);
    engine = await TestEngine.started({ env: { PATH: `${bin}:/bin:/usr/bin` } });
    await engine.ask('settings.set', { ffmpegPath: path.join(bin, 'ffmpeg') });
    const { id } = await engine.add(camera());
    await engine.footage(id, 2);
    await spoil();
    const spoiltMs = Date.now();
    for (const pid of await ffmpegOf(engine.pid)) process.kill(pid, 'SIGKILL');
    const problem = await waitFor('the camera to say so', async () => {
      const now = (await engine.status(id)).problem;
      if (now === null || !sentenceOf.test(now.sentence)) throw new Error(JSON.stringify(now));
      return now;
    });
    expect(problem.cause).toBe('porchlight-failed');
    expect(await engine.status(id)).toMatchObject({ state: 'offline', recording: false });
    await rm(path.join(bin, 'ffmpeg'), { force: true });
    await writeScript(path.join(bin, 'ffmpeg'), well);
    await engine.closedGap(id, 'porchlight-failed', spoiltMs);
    expect(new Set((await engine.timeline(id)).gaps.map((gap) => gap.cause))).toEqual(new Set(['porchlight-failed']));
    await waitFor('all to be well', async () => (await engine.info()).warnings.length === 0);
  }, 90_000);
});

describe('an engine that is killed while its camera is stalled', () => {
  async function killStalled(): Promise<{ readonly left: readonly number[]; readonly id: CameraId }> {
    const { id } = await engine.add(camera());
    await engine.footage(id, 2);
    await camera().setQuirk('stall', true);
    const left = await ffmpegOf(engine.pid);
    expect(left).toHaveLength(1);
    await isSilent(forceUnwrap('there is one', left[0]));
    engine.kill();
    return { left, id };
  }

  /** The next life records again once the camera sends. */
  async function isBack(id: CameraId): Promise<void> {
    await camera().setQuirk('stall', false);
    // The next life may hang on what it asked during the stall; that is another test's business.
    await camera().setQuirk('drop', true);
    await camera().setQuirk('drop', false);
    await waitFor('the next life', () => engine.ask('cameras.retry', { cameraId: id }).then(() => true));
    await waitFor('recording to be back', async () => (await engine.status(id)).recording, 40_000);
    expect(await ffmpegOf(engine.pid)).toHaveLength(1);
  }

  test('takes its ffmpeg along', async () => {
    engine = await TestEngine.started();
    const { left, id } = await killStalled();
    for (const pid of left) await waitFor('no ffmpeg to be left', () => gone(pid), BEFORE_ITS_OWN_END_MS);
    await isBack(id);
    expect(await engine.log()).not.toContain('left over from an earlier life');
  });

  test('leaves one where the system does not end it, and the next life does', async () => {
    await link('ffmpeg');
    engine = await TestEngine.started({ env: { PATH: bin } });
    const { left, id } = await killStalled();
    for (const pid of left) await waitFor('the orphan to be ended', () => gone(pid));
    await isBack(id);
    expect(await engine.log()).toContain('ended 1 ffmpeg left over from an earlier life');
  });
});
