/** Owns the faults in which processes die: the engine, an ffmpeg, the supervisor, all at once, the engine of a stalled camera, an engine that has only just begun again. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { CameraTimeline } from '../../../shared/model/timeline.ts';
import { forceUnwrap } from '../../../shared/result.ts';
import { waitFor } from '../../../tests/support/wait.ts';
import { sleep } from '../../bench/workplace.ts';
import { CRASH_LOSS_MS, type FaultKind, type FaultMade, type Round } from '../fault-kind.ts';
import { isEngine, leftOver, remoteAddressesOf, signal } from '../processes.ts';

/** With the engine dead and its camera silent: long before ffmpeg would end by itself, 8 s after the last byte. */
const ORPHAN_LIMIT_MS = 5_000;
/** A supervisor that is gone: the engine notices, ends in order, and everything with it. */
const UNSUPERVISED_LIMIT_MS = 15_000;
/** Of pictures after the fault, so that what is missing then is seen. */
const AFTERWARDS_S = 3;

/** Somewhere between a write and the next, a sync and the next, a segment and the next. */
async function someMoment({ random }: Round): Promise<void> {
  await sleep(random() * 3_000);
}

/** Kills the engine and waits for another one. */
async function killEngine({ house }: Round): Promise<number> {
  const pid = house.enginePid();
  const faultMs = Date.now();
  signal(pid, 'SIGKILL');
  await waitFor('another engine', () => house.processes().some((one) => isEngine(one) && one.pid !== pid), 30_000, 20);
  return faultMs;
}

function crashed(faultMs: number, more: Partial<FaultMade> = {}): FaultMade {
  return { faultMs, healedMs: faultMs, cameras: null, causes: ['porchlight-failed'], lossBoundMs: CRASH_LOSS_MS, crash: true, ...more };
}

const engine: FaultKind = {
  name: 'engine killed', family: 'kill', quick: true, weight: 8, fresh: false,
  async make(round) {
    await someMoment(round);
    const faultMs = await killEngine(round);
    await round.house.recording();
    await round.house.footage(AFTERWARDS_S);
    return crashed(faultMs);
  },
};

const engineTwice: FaultKind = {
  name: 'engine killed, and again as it starts', family: 'kill', quick: false, weight: 3, fresh: false,
  async make(round) {
    await someMoment(round);
    const faultMs = await killEngine(round);
    await sleep(round.random() * 2_500);
    const againMs = await killEngine(round);
    await round.house.recording();
    await round.house.footage(AFTERWARDS_S);
    // What the short life between the two recorded, it may lose of that what any life may.
    return crashed(faultMs, { healedMs: againMs, crash: false, note: `again after ${againMs - faultMs} ms` });
  },
};

const ffmpeg: FaultKind = {
  name: 'one ffmpeg killed', family: 'kill', quick: true, weight: 4, fresh: false,
  async make(round) {
    await someMoment(round);
    const { house, random } = round;
    const victims = house.recorders();
    const victim = forceUnwrap('each camera has a recorder', victims[Math.floor(random() * victims.length)]);
    const addresses = remoteAddressesOf(victim.pid);
    const cameras = house.simulator.cameras.filter(({ host }) => addresses.includes(host)).map(({ index }) => index);
    const faultMs = Date.now();
    signal(victim.pid, 'SIGKILL');
    await waitFor('another ffmpeg', () => house.recorders().length === victims.length && house.recorders().every(({ pid }) => pid !== victim.pid), 30_000, 20);
    await house.recording();
    await house.footage(AFTERWARDS_S);
    return crashed(faultMs, { cameras, note: `of camera ${cameras.join(', ')}` });
  },
};

const everything: FaultKind = {
  name: 'supervisor and engine killed', family: 'kill', quick: false, weight: 2, fresh: false,
  async make(round) {
    await someMoment(round);
    const { house } = round;
    const enginePid = house.enginePid();
    const faultMs = Date.now();
    signal(house.product.pid, 'SIGKILL');
    signal(enginePid, 'SIGKILL');
    return await startedByHand(round, faultMs, ORPHAN_LIMIT_MS);
  },
};

const supervisor: FaultKind = {
  name: 'supervisor killed', family: 'kill', quick: false, weight: 2, fresh: false,
  async make(round) {
    await someMoment(round);
    const faultMs = Date.now();
    signal(round.house.product.pid, 'SIGKILL');
    return await startedByHand(round, faultMs, UNSUPERVISED_LIMIT_MS);
  },
};

/** Nobody is left who would start the engine again: everything must be gone, and the owner starts it. */
async function startedByHand({ house }: Round, faultMs: number, limitMs: number): Promise<FaultMade> {
  const left = await leftOver(house.mark, limitMs);
  await house.forget();
  const { beganMs } = house;
  await house.start();
  house.continueFrom(beganMs);
  await house.footage(AFTERWARDS_S);
  // An engine that notices that its supervisor is gone ends in order; it was not its owner who closed it.
  return crashed(faultMs, { crash: false, orphans: left.length, problems: left.map(({ command }) => `left behind: ${command.slice(0, 80)}`) });
}

const stalled: FaultKind = {
  name: 'engine killed while a camera is stalled', family: 'kill', quick: false, weight: 2, fresh: false,
  async make(round) {
    const { house, random } = round;
    await house.simulator.tell(1, 'quirks/stall', { value: true });
    await sleep(200 + random() * 1_500);
    const children = house.recorders().map(({ pid }) => pid);
    const faultMs = await killEngine(round);
    let orphans: readonly number[] = [];
    try {
      await waitFor('its children to end', () => house.recorders().every(({ pid }) => !children.includes(pid)), ORPHAN_LIMIT_MS, 50);
    } catch {
      orphans = house.recorders().map(({ pid }) => pid).filter((pid) => children.includes(pid));
    }
    await sleep(500);
    const healedMs = Date.now();
    await house.simulator.tell(1, 'quirks/stall', { value: false });
    await house.recording();
    await house.footage(AFTERWARDS_S);
    return crashed(faultMs, { healedMs, crash: false, causes: ['porchlight-failed', 'stream-stalled', 'camera-unreachable'], orphans: orphans.length, problems: orphans.map((pid) => `ffmpeg ${pid} outlived its engine`) });
  },
};

/** What two timelines tell differently of the time before `untilMs`; of what is told to half a millisecond. */
function differing(before: readonly CameraTimeline[], after: readonly CameraTimeline[], untilMs: number): readonly string[] {
  return before.flatMap((camera) => {
    const other = after.find(({ cameraId }) => cameraId === camera.cameraId);
    return (['spans', 'gaps', 'events'] as const).flatMap((what) => {
      const told = (list: CameraTimeline[typeof what]): readonly (readonly [string, number, number])[] =>
        list.filter(({ startMs }) => startMs < untilMs).map((one) => [JSON.stringify({ ...one, id: null, startMs: null, endMs: null }), one.startMs, Math.min(one.endMs, untilMs)]);
      const [was, is] = [told(camera[what]), told(other?.[what] ?? [])];
      const same = was.length === is.length && was.every(([text, startMs, endMs], index) => {
        const [otherText, otherStartMs = 0, otherEndMs = 0] = is[index] ?? [];
        return text === otherText && Math.abs(startMs - otherStartMs) < 0.5 && Math.abs(endMs - otherEndMs) < 0.5;
      });
      return same ? [] : [`the index that was built anew tells other ${what}: ${JSON.stringify(is)}, not ${JSON.stringify(was)}`];
    });
  });
}

/** An index that is gone is begun anew from the files, beside the recorder; what was there must be there again (I5). */
const withoutIndex: FaultKind = {
  name: 'engine killed and its index deleted', family: 'kill', quick: false, weight: 2, fresh: false,
  async make(round) {
    const { house } = round;
    await someMoment(round);
    const before = await house.timelines();
    const faultMs = Date.now();
    const enginePid = house.enginePid();
    signal(house.product.pid, 'SIGKILL');
    signal(enginePid, 'SIGKILL');
    await leftOver(house.mark, ORPHAN_LIMIT_MS);
    for (const name of ['porchlight.db', 'porchlight.db-wal', 'porchlight.db-shm']) await rm(path.join(house.dataDir, name), { force: true });
    const made = await startedByHand(round, faultMs, 0);
    const differences = async (): Promise<readonly string[]> => differing(before, await house.timelines(), faultMs - 2 * CRASH_LOSS_MS);
    await waitFor('the timeline to be as it was', async () => (await differences()).length === 0, 30_000, 500).catch(() => undefined);
    return { ...made, problems: [...(made.problems ?? []), ...(await differences())] };
  },
};

export const KILL_KINDS: readonly FaultKind[] = [engine, ffmpeg, everything, supervisor, engineTwice, stalled, withoutIndex];
