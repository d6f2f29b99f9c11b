/** Owns the faults of cameras: connections that end, are reset or fall silent, cables that are pulled, reboots, another codec in mid-stream, and drops by the hundred. */
import type { GapCause } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import { forceUnwrap } from '../../../shared/result.ts';
import { waitFor } from '../../../tests/support/wait.ts';
import { sleep } from '../../bench/workplace.ts';
import { CRASH_LOSS_MS, type FaultKind, type FaultMade, type Round } from '../fault-kind.ts';
import { holdingsOf } from '../processes.ts';
import { judgeHoldings } from '../judge.ts';

const AFTERWARDS_S = 3;
const NOTICED_LIMIT_MS = 40_000;

/** One camera, chosen by chance, by its number and by the product's id. */
function oneCamera({ house, random }: Round): { readonly index: number; readonly id: CameraId } {
  const [id, index] = forceUnwrap('there are cameras', [...house.cameras][Math.floor(random() * house.cameras.size)]);
  return { id, index };
}

async function isRecorded({ house }: Round, id: CameraId): Promise<boolean> {
  return (await house.product.client.ask('cameras.list', {})).find(({ camera }) => camera.id === id)?.status.recording === true;
}

async function isMissed({ house }: Round, id: CameraId, causes: readonly GapCause[]): Promise<boolean> {
  const status = (await house.product.client.ask('cameras.list', {})).find(({ camera }) => camera.id === id)?.status;
  const cause = status?.problem?.cause ?? null;
  if (status?.recording === true || cause === null || !causes.includes(cause)) throw new Error(`${status?.state}, ${cause}`);
  return true;
}

interface Trouble {
  readonly name: string;
  readonly causes: readonly GapCause[];
  readonly begin: (round: Round, camera: number) => Promise<void>;
  readonly end: (round: Round, camera: number) => Promise<void>;
}

/** Something lasts until the product says that the camera is not recorded, and some seconds more. */
function trouble({ name, causes, begin, end }: Trouble, quick = false): FaultKind {
  return {
    name, family: 'cameras', quick, weight: 2, fresh: false,
    async make(round) {
      const { index, id } = oneCamera(round);
      await sleep(round.random() * 1_500);
      const faultMs = Date.now();
      await begin(round, index);
      try {
        // What a silence was is found out by the next attempt to connect (docs/design/storage.md, "Causes of gaps").
        await waitFor(`the camera to be missed for ${causes.join(' or ')}`, async () => await isMissed(round, id, causes), NOTICED_LIMIT_MS);
        await sleep(500 + round.random() * 3_000);
      } finally {
        await end(round, index);
      }
      return await over(round, { faultMs, cameras: [index], causes, either: true });
    },
  };
}

async function over(round: Round, made: Pick<FaultMade, 'faultMs' | 'cameras' | 'causes'> & Partial<FaultMade>): Promise<FaultMade> {
  const healedMs = Date.now();
  await round.house.recording();
  await round.house.footage(AFTERWARDS_S);
  return { healedMs, lossBoundMs: CRASH_LOSS_MS, crash: false, ...made };
}

function quirk(name: string): Pick<Trouble, 'begin' | 'end'> {
  return {
    begin: async ({ house }, camera) => await house.simulator.tell(camera, `quirks/${name}`, { value: true }),
    end: async ({ house }, camera) => await house.simulator.tell(camera, `quirks/${name}`, { value: false }),
  };
}

const dropped = trouble({ name: 'camera closes its connections', causes: ['stream-stalled', 'camera-unreachable'], ...quirk('drop') });
const reset = trouble({ name: 'camera resets its connections', causes: ['camera-unreachable', 'stream-stalled'], ...quirk('reset') });
const stalled = trouble({ name: 'camera stalls', causes: ['stream-stalled'], ...quirk('stall') });
const unplugged = trouble({ name: 'camera unplugged', causes: ['camera-unreachable'], begin: ({ house }, camera) => house.simulator.tell(camera, 'unplug'), end: ({ house }, camera) => house.simulator.tell(camera, 'replug') });

const reboot: FaultKind = {
  name: 'camera reboots', family: 'cameras', quick: true, weight: 2, fresh: false,
  async make(round) {
    const { index } = oneCamera(round);
    await sleep(round.random() * 1_500);
    const faultMs = Date.now();
    // Answered when it is back.
    await round.house.simulator.tell(index, 'reboot', { downMs: 1_500 + Math.round(round.random() * 4_000) });
    return await over(round, { faultMs, cameras: [index], causes: ['camera-unreachable'] });
  },
};

const codec: FaultKind = {
  name: 'camera changes its codec or size', family: 'cameras', quick: false, weight: 1, fresh: true,
  async make(round) {
    const { index } = oneCamera(round);
    const value = round.random() < 0.5 ? 'h265' : 'size';
    const faultMs = Date.now();
    // Answered when the other pictures are there.
    await round.house.simulator.tell(index, 'quirks/codec-change', { value });
    await sleep(5_000);
    return await over(round, { faultMs, cameras: [index], causes: ['camera-unreachable', 'stream-stalled'], either: true, note: value });
  },
};

/** Each camera is dropped, and again as soon as it is recorded; the engine must hold no more after the last than before. */
const storm: FaultKind = {
  name: 'cameras drop again and again', family: 'cameras', quick: false, weight: 1, fresh: false,
  async make(round) {
    const { house, drops, say } = round;
    const faultMs = Date.now();
    // The first tenth warms it up: code that ran for the first time, and pools that grew to their size.
    const share = Math.ceil(drops / house.cameras.size);
    const warm = Math.max(2, Math.ceil(share / 10));
    await dropEach(round, warm);
    const before = holdingsOf(house.enginePid());
    await dropEach(round, share - warm);
    const healedMs = Date.now();
    await house.recording();
    await house.footage(AFTERWARDS_S);
    const after = holdingsOf(house.enginePid());
    say(`${drops} drops in ${Math.round((healedMs - faultMs) / 1_000)} s; the engine's descriptors ${before.descriptors} → ${after.descriptors}, its memory ${Math.round(before.residentBytes / 1e6)} → ${Math.round(after.residentBytes / 1e6)} MB`);
    return { faultMs, healedMs, cameras: null, causes: ['camera-unreachable', 'stream-stalled'], either: true, lossBoundMs: CRASH_LOSS_MS, crash: false, problems: judgeHoldings(before, after, drops >= 100), note: `${drops} drops` };
  },
};

async function dropEach(round: Round, times: number): Promise<void> {
  await Promise.all([...round.house.cameras].map(async ([id, index]) => {
    for (let drop = 0; drop < times; drop += 1) {
      await round.house.simulator.tell(index, 'quirks/drop', { value: true });
      await round.house.simulator.tell(index, 'quirks/drop', { value: false });
      await waitFor('the drop to be noticed', async () => !(await isRecorded(round, id)), 3_000, 30).catch(() => undefined);
      await pressUntilRecorded(round, id);
    }
  }));
}

/** As a person who presses "Try again", and again after a while: waiting for a camera that drops every second would only take longer, and a drop that is noticed after the press waits its turn. */
async function pressUntilRecorded(round: Round, id: CameraId): Promise<void> {
  for (const isLastTry of [false, false, false, true]) {
    await round.house.product.client.ask('cameras.retry', { cameraId: id });
    const recorded = waitFor('the camera to be recorded again', () => isRecorded(round, id), NOTICED_LIMIT_MS / 4, 50);
    if (isLastTry) await recorded;
    else if (await recorded.then(() => true, () => false)) return;
  }
}

export const CAMERA_KINDS: readonly FaultKind[] = [dropped, reset, stalled, unplugged, reboot, codec, storm];
