/** From cameras to files and pictures: ingest, index, gaps, previews, playback and retention, connected. */
import type { MediaName } from '../../shared/contract/media.ts';
import type { Camera, StreamKind, StreamStatus } from '../../shared/model/camera.ts';
import type { GapCause } from '../../shared/model/gap.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { Segment } from '../../shared/model/segment.ts';
import { HealthBoard } from './cameras/health-board.ts';
import { GapLedger } from './catalog/gap-ledger.ts';
import { Indexer } from './catalog/indexer.ts';
import { LifeMarker, readLifeStart } from './catalog/life-marker.ts';
import { LiveEdges } from './catalog/live-edge.ts';
import { Director, type PlannedOutage } from './director.ts';
import type { Base, StopStack } from './engine-base.ts';
import { EventRecorder } from './event-recorder.ts';
import { openPlacementDesk, type PlacementDesk } from './engine-placement.ts';
import { runBatch } from './ffmpeg/jobs.ts';
import { FootageStreams } from './playback/footage-streams.ts';
import { streamToServe, type WantedStream } from './playback/stream-choice.ts';
import type { Ingest, IngestNotice } from './ports/ingest.ts';
import { PreviewMaker } from './previews/preview-maker.ts';
import { PreviewStore } from './previews/preview-store.ts';
import { RetentionExecutor } from './retention/executor.ts';
import type { Names } from './retention/sentences.ts';
import { WhatIfDesk } from './retention/what-if.ts';
import { PreviewPacks } from './storage/preview-pack.ts';
import type { RootCondition } from './storage/root-list.ts';

export interface Recording {
  readonly ingest: Ingest;
  readonly indexer: Indexer;
  readonly ledger: GapLedger;
  readonly marker: LifeMarker;
  readonly edges: LiveEdges;
  readonly board: HealthBoard;
  readonly footage: FootageStreams;
  readonly previews: PreviewMaker;
  readonly previewStore: PreviewStore;
  readonly director: Director;
  readonly eventRecorder: EventRecorder;
  readonly retention: RetentionExecutor;
  readonly whatIf: WhatIfDesk;
  readonly placement: PlacementDesk;
}

/** Tails in order, then recording, then what lives off it. */
export async function startRecording(base: Base, stops: StopStack): Promise<Recording> {
  const { init, clock, log, hub, registry, archive, ffmpeg, ingest } = base;
  const life = await readLifeStart(init.dataDir, clock);
  await archive.recoverTails();
  const tails = await archive.read.streamTails(life.startedMs);
  const ledger = new GapLedger({ footageEnds: tails, openOutages: life.last?.openOutages ?? [], between: life.between, hoursOf: (cameraId) => registry.list().find(({ id }) => id === cameraId)?.recording?.schedule ?? null });
  const marker = await LifeMarker.begin({ dataDir: init.dataDir, clock, logger: log, openOutages: () => ledger.openOutages(), onDeadTime: (time) => ledger.addDeadTime(time) }, life);
  stops.push((reason) => (reason === 'failed' ? marker.abandon() : marker.stop(reason)));
  const placement = await openPlacementDesk(base, async () => await retention.ageNowMs(), stops);
  const { retention, whatIf } = createRetention(base, placement);
  stops.push(() => retention.stop());
  const edges = new LiveEdges();
  const indexer = createIndexer(base, ledger, marker, edges);
  stops.push(() => indexer.stop());
  const chooseStream = (name: MediaName, cameraId: CameraId, wanted: WantedStream): StreamKind | null => {
    const isIt = (camera: Camera): boolean => camera.id === cameraId;
    // Footage of a camera that is not set up here, on a disk from another computer: its main stream, if any.
    return streamToServe(name, wanted, registry.list().find(isIt), registry.removed().find(isIt)) ?? (name === 'playback' ? 'main' : null);
  };
  const footage = new FootageStreams({ reader: archive.read, ingest, clock, log: log.scoped('playback'), chooseStream, rootPaths: () => archive.roots.list().map((root) => root.path) });
  const board = new HealthBoard({ clock, cameras: () => registry.list(), onChange: (status) => hub.tell('camera.status', status) });
  const { previews, previewStore } = createPreviews(base, ingest, board, placement);
  const planned = (outage: PlannedOutage): void => hearPlanned(outage, base, recording);
  const eventRecorder = createEventRecorder(base, board, ledger);
  const director = new Director({ keepOf: (camera) => eventRecorder.keepOf(camera), restsBecause: (camera) => eventRecorder.restsBecause(camera), registry, ingest, previews, ffmpeg, rootForRecording: (cameraId) => placement.rootFor(cameraId), lastSessions: tails, whyNoRoot: () => whyNoRoot(archive.roots.conditions()), dataDir: init.dataDir, log, onPlannedOutage: planned, onPlannedOutageOver: (outage) => ledger.released(outage) });
  const recording: Recording = { ingest, indexer, ledger, marker, edges, board, footage, previews, previewStore, director, eventRecorder, retention, whatIf, placement };
  ingest.onNotice((notice) => hear(notice, base, recording));
  indexer.onChanged((change) => hub.tell('timeline.changed', change));
  // Backwards: no more orders, pictures closed, every file closed and synced, and then their rows written.
  stops.push(() => ingest.stop());
  stops.push(() => previews.stop());
  stops.push(() => footage.close());
  stops.push(() => director.stop());
  stops.push(() => eventRecorder.stop());
  eventRecorder.refresh();
  await director.apply();
  void eventRecorder.recall().then(() => eventRecorder.refresh());
  return recording;
}

function createEventRecorder({ clock, log, registry, ingest, archive, hub }: Base, board: HealthBoard, ledger: GapLedger): EventRecorder {
  return new EventRecorder({
    clock, ingest, archive,
    log: log.scoped('events'),
    cameras: () => registry.list(),
    onWanted: (key) => ledger.released(key),
    onKeeping: (cameraId, keeping, recordNowUntilMs) => board.keeping(cameraId, keeping, recordNowUntilMs),
    onEvent: ({ cameraId, startMs, endMs }) => hub.tell('timeline.changed', { cameraIds: [cameraId], startMs, endMs }),
  });
}

/** A disk that is here and takes nothing is one thing, one that is not here another. */
function whyNoRoot(conditions: readonly RootCondition[]): GapCause {
  return conditions.some((root) => root.state === 'read-only' || root.state === 'failing') ? 'disk-failing' : 'disk-missing';
}

/** The one way of everything the ingest thread tells. */
function hear(notice: IngestNotice, { clock, hub }: Base, { indexer, board, edges, retention, director, placement }: Recording): void {
  indexer.take(notice);
  board.take(notice);
  if (edges.take(notice) && 'cameraId' in notice) hub.tell('timeline.changed', { cameraIds: [notice.cameraId], startMs: clock.nowMs(), endMs: clock.nowMs() + 1 });
  if (notice.type !== 'root-problem') return;
  retention.hurry();
  if (placement.hear(notice)) void director.apply();
}

/** What the director knows and no recorder can say. Where none runs for want of ffmpeg, the camera's state is told here too. */
function hearPlanned(outage: PlannedOutage, base: Base, recording: Recording): void {
  const { cameraId, stream, cause, detail } = outage;
  const sinceMs = base.clock.nowMs();
  hear({ type: 'outage-began', sinceMs, ...outage }, base, recording);
  if (cause !== 'porchlight-failed') return;
  const status: StreamStatus = { kind: stream, state: 'offline', recording: false, codec: '', width: 0, height: 0, fps: 0, bitsPerSecond: 0, keyframeDistanceMs: null, sound: 'none' };
  hear({ type: 'status', cameraId, stream, status, sinceMs, problem: { cause, detail } }, base, recording);
}

/** Rules, and what they would do. */
function createRetention({ archive, rules, registry, clock, log }: Base, placement: PlacementDesk): Pick<Recording, 'retention' | 'whatIf'> {
  const names: Names = {
    root: (rootId) => archive.roots.list().find((root) => root.rootId === rootId)?.path ?? 'a disk',
    camera: (cameraId) => [...registry.list(), ...registry.removed()].find((camera) => camera.id === cameraId)?.name ?? 'A removed camera',
  };
  const retention = new RetentionExecutor({ archive, rules: placement.rulesInForce, clock, logger: log.scoped('retention'), names });
  const whatIf = new WhatIfDesk({ archive, rules: () => rules.get(), movesAmong: placement.movesAmong, ageNowMs: () => retention.ageNowMs(), clock, names });
  retention.onDeleted(() => whatIf.forget());
  return { retention, whatIf };
}

function createIndexer({ archive, clock, log }: Base, ledger: GapLedger, marker: LifeMarker, edges: LiveEdges): Indexer {
  const insertSegment = async (segment: Segment): Promise<void> => {
    await archive.write.insertSegment(segment);
    edges.indexed(segment);
  };
  return new Indexer({ write: { insertGap: (gap) => archive.write.insertGap(gap), insertEvent: (event) => archive.write.insertEvent(event), insertSegment }, ledger, lookForSleep: () => marker.lookForSleep(), clock, logger: log.scoped('catalog') });
}

function createPreviews({ archive, clock, log, ffmpeg }: Base, ingest: Ingest, board: HealthBoard, placement: PlacementDesk): Pick<Recording, 'previews' | 'previewStore'> {
  const packs = new PreviewPacks();
  const scoped = log.scoped('previews');
  const previews = new PreviewMaker({
    subscribe: (subscription) => ingest.subscribe(subscription),
    runFfmpeg: (job) => runBatch(ffmpeg.require(), job, clock),
    packs,
    rootOf: (cameraId) => placement.rootFor(cameraId)?.path ?? null,
    footageBytesPerSecond: (cameraId) => recordedRate(board, cameraId),
    clock,
    log: scoped,
  });
  const roots = (): readonly string[] => archive.roots.readable().map((root) => root.path);
  return { previews, previewStore: new PreviewStore({ packs, roots, flush: (cameraId) => previews.flush(cameraId), clock, log: scoped }) };
}

function recordedRate(board: HealthBoard, cameraId: CameraId): number | null {
  const main = board.get(cameraId)?.streams.find((stream) => stream.kind === 'main');
  return main === undefined || main.bitsPerSecond === 0 ? null : main.bitsPerSecond / 8;
}

