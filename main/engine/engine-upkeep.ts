/** What goes on beside recording: the check of all files, retention, disks that come and go, cameras to be added. */
import type { AppInfo, EngineHandlers } from '../../shared/contract/engine-api.ts';
import type { CameraToAdd } from '../../shared/contract/engine-process.ts';
import { PorchlightError } from '../../shared/errors.ts';
import type { StorageSummary } from '../../shared/model/storage.ts';
import { MINUTE_MS, SECOND_MS } from '../../shared/time.ts';
import type { Clock } from './core/clock.ts';
import type { Logger } from './core/logger.ts';
import type { Base, StopStack } from './engine-base.ts';
import type { Recording } from './engine-recording.ts';
import { FFMPEG_NOT_STARTED } from './recorder/ladder.ts';
import type { Doctor } from './storage/doctor.ts';

/** How often disks are looked at, and a missing ffmpeg for. */
const LOOK_MS = 10 * SECOND_MS;
const SUMMARY_MS = MINUTE_MS;
/** At a start, everything else wants the disk. */
const RESERVE_AFTER_MS = MINUTE_MS;
/** The check and everything else that wants the processor waits for recording to begin, but not for cameras that do not answer. */
const BEGIN_LIMIT_MS = 3 * SECOND_MS;
/** Between attempts to add a camera of the starter's list that does not answer yet. */
const ADD_AGAIN_MS = 5 * SECOND_MS;

/** Starts all of it; it ends with the engine. */
export function startUpkeep(base: Base, recording: Recording, doctor: Doctor, handlers: EngineHandlers, summary: () => Promise<StorageSummary>, appInfo: () => AppInfo, stops: StopStack): void {
  const { clock, hub, log, ffmpeg, init } = base;
  const { retention, director, placement } = recording;
  const stopping = new AbortController();
  const work = new Set<Promise<unknown>>();
  const background = (what: string, job: Promise<unknown>): void => {
    const watched: Promise<unknown> = job
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) log.error(what, error);
      })
      .finally(() => work.delete(watched));
    work.add(watched);
  };
  retention.onDeleted((change) => hub.tell('timeline.changed', change));
  retention.start();
  background('disks that are not here could not be looked for', placement.lookForAbsent());
  const stopHearingIndex = base.archive.onRebuilding((rebuilding) => {
    if (!rebuilding) background('disks that are not here could not be looked for', placement.lookForAbsent(true));
  });
  const begun = recordingBegun(recording, clock, stopping.signal);
  background('the check of all files failed', begun.then(async () => {
    if (!stopping.signal.aborted) await doctor.atStart();
  }));
  // Beside recording, as everything that reads much.
  background('moving could not begin', begun.then(() => placement.mover.start()));
  background('cameras could not be added', addCameras(init.cameras, handlers, clock, log, stopping.signal));
  const lookForFfmpeg = async (): Promise<void> => {
    if (await ffmpeg.refresh()) hub.tell('app.changed', appInfo());
    await director.apply();
  };
  background('ffmpeg could not be looked for', ffmpeg.found === null ? lookForFfmpeg() : begun.then(lookForFfmpeg));
  // One that vanished while it was in use: said so, and looked for from then on.
  const stopHearing = recording.ingest.onNotice((notice) => {
    if (notice.type === 'status' && notice.problem?.detail === FFMPEG_NOT_STARTED) background('ffmpeg could not be looked for', lookForFfmpeg());
  });
  const look = watchDisks(base, async () => {
    await director.apply();
    retention.hurry();
    placement.mover.hurry();
    await placement.lookForAbsent();
    // A disk that is new knows no names yet.
    for (const { id, name, recorded } of base.registry.list()) await base.archive.write.describeCamera({ id, name, streams: recorded });
  });
  const startedMs = clock.monotonicMs();
  const lookAtData = async (): Promise<void> => {
    if (await base.dataSpace.look(clock.monotonicMs() - startedMs > RESERVE_AFTER_MS)) hub.tell('app.changed', appInfo());
  };
  background('room for the data folder could not be looked at', begun.then(lookAtData));
  let told = '';
  const cancels = [
    clock.every(LOOK_MS, () => {
      background('disks could not be looked at', look());
      background('room for the data folder could not be looked at', lookAtData());
      if (ffmpeg.found === null) background('ffmpeg could not be looked for', lookForFfmpeg());
    }),
    clock.every(SUMMARY_MS, () => background('storage could not be summed up', summary().then((now) => {
      const text = JSON.stringify(now);
      if (text !== told) hub.tell('storage.changed', now);
      told = text;
    }))),
  ];
  stops.push(async () => {
    stopping.abort();
    await doctor.stop();
    stopHearing();
    stopHearingIndex();
    for (const cancel of cancels) cancel();
    await Promise.all(work);
  });

  /** Looks at the disks; recording follows when the one for new footage is another, and everybody hears of a changed state. */
  function watchDisks({ archive: { roots } }: Base, onOther: () => Promise<void>): () => Promise<void> {
    const state = (): string => JSON.stringify([roots.forRecording()?.rootId, roots.conditions().map((root) => [root.rootId, root.path, root.state, root.suspect])]);
    let before = state();
    let here = roots.writable().length;
    return async () => {
      await roots.refresh();
      // What a pull left half done on a disk is brought into order when it is back.
      if (roots.writable().length > here) background('a disk that is back could not be looked through', base.archive.reconcile(stopping.signal));
      here = roots.writable().length;
      const now = state();
      if (now === before) return;
      before = now;
      hub.tell('app.changed', appInfo());
      hub.tell('storage.changed', await summary());
      await onOther();
    };
  }
}

/** Resolves when every camera that is to be recorded now is, at the latest after BEGIN_LIMIT_MS or when `signal` aborts. */
async function recordingBegun({ board, ingest }: Recording, clock: Clock, signal: AbortSignal): Promise<void> {
  const isBegun = (): boolean => board.list().every(({ camera, status }) => camera.paused !== null || status.recording || (status.keeping?.kind ?? 'everything') !== 'everything');
  if (signal.aborted || isBegun()) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const off = ingest.onNotice(() => {
    if (isBegun()) resolve();
  });
  const cancel = clock.after(BEGIN_LIMIT_MS, resolve);
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  off();
  cancel();
}

/** Adds the starter's cameras; one that does not answer yet is tried again, one that refuses is left to the owner. */
async function addCameras(cameras: readonly CameraToAdd[], handlers: EngineHandlers, clock: Clock, log: Logger, signal: AbortSignal): Promise<void> {
  await Promise.all(
    cameras.map(async ({ name, address, username, password }) => {
      const credentials = username === null ? null : { username, password: password ?? '' };
      while (!signal.aborted) {
        try {
          await handlers['cameras.add']({ target: { kind: 'address', address }, credentials, name });
          return;
        } catch (error) {
          const kind = error instanceof PorchlightError ? error.kind : 'internal';
          if (kind === 'conflict') return;
          log.warn(`a camera of the list could not be added${name === null ? '' : ` (${name})`}`, error);
          if (!['unreachable', 'timeout', 'connection-lost', 'no-video'].includes(kind)) return;
        }
        await clock.sleep(ADD_AGAIN_MS, signal);
      }
    }),
  );
}

