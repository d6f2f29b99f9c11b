/**
 * Owns the traced process: a whole engine, and an owner who changes things and says what was confirmed to him. What it
 * prints stands in the trace between the writes it speaks of. node traced-engine.ts ORDER, one JSON object.
 */
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { setTimeout as delay } from 'node:timers/promises';
import { createEngine, type Engine } from '../../../main/engine/engine.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { CameraToAdd } from '../../../shared/contract/engine-process.ts';
import { SAID } from './traced-files.ts';

/** What the traced process is told to do. */
export interface TracedOrder {
  readonly dataDir: string;
  readonly mediaDir: string;
  readonly cameras: readonly CameraToAdd[];
  readonly seconds: number;
  /** Bytes of footage that may stay; the oldest goes. */
  readonly quotaBytes: number;
  /** Numbers in settings count on from here. */
  readonly from: number;
  /** Sub streams are recorded too. */
  readonly subStreams: boolean;
  /** Cameras are paused now and then: segments end, gaps begin. */
  readonly pauses: boolean;
}

/** A promise to a client, with the number that tells which. */
export type Said =
  | { readonly what: 'ready' }
  | { readonly what: 'home' | 'rules'; readonly number: number }
  /** The lock with this number holds, or does not any more. */
  | { readonly what: 'locked' | 'unlocked'; readonly number: number }
  | { readonly what: 'camera'; readonly cameraId: string; readonly number: number }
  /** A timer on a thread with nothing else to do came so much too late: the machine is busy with others. */
  | { readonly what: 'late'; readonly atMs: number; readonly lateMs: number }
  /** Everything that was under way is over: nothing may be lost any more. */
  | { readonly what: 'stopped'; readonly number: number };

function say(said: Said): void {
  writeSync(1, `${SAID}${JSON.stringify(said)}\n`);
}

async function recordingCameras(engine: Engine, count: number, limitMs: number): Promise<readonly string[]> {
  const startMs = performance.now();
  for (;;) {
    const list = await engine.handlers['cameras.list']({});
    const live = list.filter(({ status }) => status.recording);
    if (live.length >= count || performance.now() - startMs > limitMs) return list.map(({ camera }) => camera.id);
    await delay(200);
  }
}

/** One round of an owner's changes; `number` goes into each. */
async function change(engine: Engine, order: TracedOrder, cameraIds: readonly string[], number: number): Promise<void> {
  const { handlers } = engine;
  await handlers['settings.set']({ homeName: `Home ${number}` });
  say({ what: 'home', number });
  const [root] = (await handlers['storage.summary']({})).roots;
  // The quota while there is next to nothing: later it would delete much at once, and be asked about.
  const quota = root !== undefined && number === 1 ? { quotaBytes: { [root.rootId]: order.quotaBytes } } : {};
  await handlers['storage.setRules']({ ...quota, keepFreeBytes: 1_000 + number });
  say({ what: 'rules', number });
  const list = await handlers['cameras.list']({});
  const chosen = list.find(({ camera }) => camera.id === cameraIds[Math.floor(number / 2) % cameraIds.length])?.camera.id;
  if (chosen === undefined) return;
  await handlers['cameras.update']({ cameraId: chosen, name: `Camera ${number}` });
  say({ what: 'camera', cameraId: chosen, number });
  await lockAndUnlock(engine, chosen, number);
  // What is asked for is written first.
  await handlers['previews.latest']({ cameraId: chosen });
  await delay(700);
  if (!order.pauses || number % 2 === 0) return;
  // A pause ends segments and makes gaps.
  await handlers['cameras.pause']({ cameraId: chosen, untilMs: null });
  await delay(500);
  await handlers['cameras.resume']({ cameraId: chosen });
}

/** Keeps a second of the camera's time, and gives up what was kept before. */
async function lockAndUnlock({ handlers }: Engine, cameraId: CameraId, number: number): Promise<void> {
  const earlier = (await handlers['locks.list']({})).filter((lock) => lock.cameraId === cameraId);
  const nowMs = Date.now();
  await handlers['locks.add']({ cameraId, startMs: nowMs - 1_000, endMs: nowMs, note: `Lock ${number}` });
  say({ what: 'locked', number });
  for (const { id, note } of earlier) {
    await handlers['locks.remove']({ id });
    say({ what: 'unlocked', number: Number(note.split(' ')[1]) });
  }
}

/** Says when this machine is too busy to run a timer, for the bounds on loss are of a program that gets its turn. */
function watchLateness(): Worker {
  return new Worker(
    `const { writeSync } = require('node:fs');
    let due = performance.now() + ${TICK_MS};
    setInterval(() => {
      const lateMs = performance.now() - due;
      due = performance.now() + ${TICK_MS};
      if (lateMs > ${TICK_MS}) writeSync(1, ${JSON.stringify(SAID)} + JSON.stringify({ what: 'late', atMs: Date.now(), lateMs: Math.round(lateMs) }) + '\\n');
    }, ${TICK_MS});`,
    { eval: true },
  );
}

const TICK_MS = 50;
const order = JSON.parse(process.argv[2] ?? '') as TracedOrder;
const watch = watchLateness();
const engine = await createEngine({ version: '0.0.0-faults', mode: 'app', demo: true, dataDir: order.dataDir, mediaDir: order.mediaDir, binDir: null, secrets: 'file', serve: null, cameras: order.cameras });
say({ what: 'ready' });
const cameraIds = await recordingCameras(engine, Math.max(1, order.cameras.length), 20_000);
if (order.subStreams) for (const { camera } of await engine.handlers['cameras.list']({})) await engine.handlers['cameras.update']({ cameraId: camera.id, recorded: ['main', 'sub'] });
let number = order.from;
for (const endMs = performance.now() + order.seconds * 1_000; performance.now() < endMs; ) {
  number += 1;
  await change(engine, order, cameraIds, number);
  await delay(1_200);
}
await engine.stop('owner');
say({ what: 'stopped', number });
await watch.terminate();
