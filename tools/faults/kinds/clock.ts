/**
 * Owns the faults of time: a clock that is set, both ends of daylight-saving time, a leap to 2038, a computer that stops and
 * goes on. The product runs under libfaketime, which gives it and all it starts another wall clock; monotonic time stays the
 * machine's, as when a clock is set.
 */
import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DurationMs, EpochMs } from '../../../shared/time.ts';
import { HOUR_MS } from '../../../shared/time.ts';
import { sleep } from '../../bench/workplace.ts';
import type { FaultHouse } from '../house.ts';
import { CRASH_LOSS_MS, type FaultKind, type FaultMade, type Prepared, type Round } from '../fault-kind.ts';
import { signal } from '../processes.ts';

const LIBRARIES = ['x86_64-linux-gnu', 'aarch64-linux-gnu', 'arm-linux-gnueabihf'].map((triplet) => `/usr/lib/${triplet}/faketime/libfaketimeMT.so.1`);
/** The clock is looked at once a second, and followed at the next keyframe. */
const STEP_SEEN_MS: DurationMs = 4_000;
const AFTERWARDS_S = 3;

function whyNot(): Promise<string | null> {
  return Promise.resolve(LIBRARIES.some((file) => existsSync(file)) ? null : 'libfaketime is not installed (Debian and Ubuntu: apt-get install libfaketime)');
}

const aheadFile = (house: FaultHouse): string => path.join(house.folder, 'clock-ahead');

async function setAhead(house: FaultHouse, aheadMs: DurationMs): Promise<void> {
  const seconds = Math.round(aheadMs / 1_000);
  // Replaced, never half written: it is read at each call.
  await writeFile(`${aheadFile(house)}.new`, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
  await rename(`${aheadFile(house)}.new`, aheadFile(house));
}

/** What the product is started with so that its wall clock is `aheadMs` ahead. */
async function fakeTime(house: FaultHouse, aheadMs: DurationMs, timeZone: string): Promise<Prepared> {
  await setAhead(house, aheadMs);
  const env = {
    LD_PRELOAD: LIBRARIES.find((file) => existsSync(file)) ?? '', TZ: timeZone,
    FAKETIME_TIMESTAMP_FILE: aheadFile(house), FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1',
  };
  return { env, clockAheadMs: aheadMs };
}

/** The clock is set once while footage is recorded. Nothing may be missing, and each file keeps the time it began with. */
function step(name: string, stepMs: DurationMs, quick = false): FaultKind {
  return {
    name, family: 'clock', quick, weight: 2, fresh: true, whyNot,
    prepare: async ({ house }) => await fakeTime(house, 0, 'UTC'),
    async make({ house, random }) {
      await sleep(random() * 2_000);
      const faultMs = Date.now();
      await setAhead(house, stepMs);
      await sleep(STEP_SEEN_MS);
      await house.footage(AFTERWARDS_S, stepMs);
      return { ...unharmed(faultMs, null), problems: await otherGaps(house, stepMs) };
    },
  };
}

/** Gaps around both times of a step that the step does not explain. */
async function otherGaps(house: FaultHouse, stepMs: DurationMs): Promise<readonly string[]> {
  const timelines = await Promise.all([0, stepMs].map((aheadMs) => house.timelines(Date.now() + aheadMs)));
  return timelines.flat().flatMap(({ gaps }) => gaps).filter(({ cause }) => cause !== 'clock-changed').map(({ cause, startMs, endMs }) => `a gap of ${Math.round(endMs - startMs)} ms has the cause ${cause}, though the clock was set and nothing else`);
}

function unharmed(faultMs: EpochMs, clockAheadMs: DurationMs | null): FaultMade {
  return { faultMs, healedMs: faultMs, cameras: null, causes: [], lossBoundMs: 0, crash: false, clockAheadMs };
}

/** The hour at which a zone's clocks change passes while footage is recorded. `changeMs`: that moment, in UTC. */
function daylight(name: string, changeMs: EpochMs, dayHours: number): FaultKind {
  let aheadMs = 0;
  return {
    name, family: 'clock', quick: false, weight: 1, fresh: true, whyNot,
    async prepare({ house }) {
      // The start takes some seconds; the change shall come when footage is there. Whole seconds, as libfaketime is told.
      aheadMs = Math.round((changeMs - 40_000 - Date.now()) / 1_000) * 1_000;
      return await fakeTime(house, aheadMs, 'Europe/Berlin');
    },
    async make({ house }) {
      // A start that took long puts the clock right before the change, which is a step of its own and no part of this.
      const faultMs = Math.max(Date.now(), changeMs - aheadMs);
      await sleep(Math.max(0, faultMs - Date.now()) + 2_000);
      await house.footage(AFTERWARDS_S, aheadMs);
      const { cameras } = await house.product.client.ask('coverage.days', { cameraIds: [...house.cameras.keys()], days: 1, timeZone: 'Europe/Berlin' });
      const hours = cameras.map(({ days }) => ((days.at(-1)?.endMs ?? 0) - (days.at(-1)?.startMs ?? 0)) / HOUR_MS);
      return { ...unharmed(faultMs, aheadMs), problems: hours.some((one) => one !== dayHours) ? [`the day has ${hours.join(', ')} hours, not ${dayHours}`] : [] };
    },
  };
}

/** The whole product stops, as on a computer that is suspended, and goes on; cameras go on all the while. The boot-time clock runs on, as it does in a suspension, but so does the monotonic one, which a process cannot stop. */
const suspended: FaultKind = {
  name: 'product suspended and resumed', family: 'clock', quick: false, weight: 2, fresh: false,
  async make({ house, random }: Round) {
    const processes = house.processes();
    const faultMs = Date.now();
    for (const { pid } of processes) signal(pid, 'SIGSTOP');
    await sleep(3_000 + random() * 9_000);
    const healedMs = Date.now();
    for (const { pid } of processes) signal(pid, 'SIGCONT');
    await house.recording();
    await house.footage(AFTERWARDS_S);
    return { faultMs, healedMs, cameras: null, causes: ['stream-stalled', 'camera-unreachable', 'computer-asleep', 'disk-too-slow'], either: true, lossBoundMs: CRASH_LOSS_MS, crash: false, note: `${Math.round((healedMs - faultMs) / 1_000)} s` };
  },
};

export const CLOCK_KINDS: readonly FaultKind[] = [
  step('clock set forward by an hour', HOUR_MS),
  step('clock set back by an hour', -HOUR_MS),
  step('clock leaps to 2038', Date.UTC(2038, 0, 19, 3, 14, 8) - Date.now()),
  daylight('daylight-saving time begins', Date.UTC(2027, 2, 28, 1), 23),
  daylight('daylight-saving time ends', Date.UTC(2027, 9, 31, 1), 25),
  suspended,
];
