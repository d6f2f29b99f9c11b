/** One handler per operation of the contract, each a few words to the module that knows. */
import type { AppInfo, CameraTarget, EngineHandlers } from '../../../shared/contract/engine-api.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import type { Camera } from '../../../shared/model/camera.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { StorageSummary } from '../../../shared/model/storage.ts';
import { addProbed } from '../cameras/add.ts';
import type { HealthBoard } from '../cameras/health-board.ts';
import { camerasOfDevice } from '../cameras/identity.ts';
import type { ProbeTarget, Prober } from '../cameras/prober.ts';
import type { CameraRegistry } from '../cameras/registry.ts';
import type { GapLedger } from '../catalog/gap-ledger.ts';
import type { LiveEdges } from '../catalog/live-edge.ts';
import { withOpenEvents } from '../catalog/right-now.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Searcher } from '../discovery/searcher.ts';
import type { FootageStreams } from '../playback/footage-streams.ts';
import type { Ingest } from '../ports/ingest.ts';
import type { PreviewStore } from '../previews/preview-store.ts';
import type { RulesStore } from '../settings/rules-store.ts';
import type { SettingsStore } from '../settings/settings-store.ts';
import type { Archive } from '../storage/archive.ts';
import { coverageDays } from './coverage-answer.ts';
import { doorHandlers, type DoorParts } from './door-handlers.ts';
import { camerasElsewhere } from './elsewhere-answer.ts';
import { recordingHandlers, type RecordingParts } from './recording-handlers.ts';
import { retentionHandlers, type RetentionParts } from './retention-handlers.ts';
import { placementHandlers, type PlacementParts } from './placement-handlers.ts';
import { remoteHandlers, type RemoteParts } from './remote-handlers.ts';
import { drawnTimeline, wholeTimeline } from './timeline-answer.ts';
import { upkeepHandlers, type UpkeepParts } from './upkeep-handlers.ts';

export interface HandlerParts extends Pick<RecordingParts, 'eventRecorder'>, Pick<PlacementParts, 'placement'>, Pick<RetentionParts, 'hub' | 'whatIf'>, Pick<UpkeepParts, 'doctor' | 'setup'>, RemoteParts, DoorParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly appInfo: () => AppInfo;
  readonly registry: CameraRegistry;
  readonly prober: Prober;
  readonly searcher: Searcher;
  readonly board: HealthBoard;
  readonly ingest: Pick<Ingest, 'retry' | 'received'>;
  readonly archive: Archive;
  readonly ledger: GapLedger;
  readonly edges: LiveEdges;
  readonly footage: FootageStreams;
  readonly previews: PreviewStore;
  readonly settings: SettingsStore;
  readonly rules: RulesStore;
  readonly summary: () => Promise<StorageSummary>;
  /** Cameras, disks or passwords changed: recording follows. */
  readonly apply: () => Promise<void>;
  /** Rules or disks changed: look at once. */
  readonly storageChanged: () => void;
}

export function createHandlers(parts: HandlerParts): EngineHandlers {
  return { ...queries(parts), ...cameraCommands(parts), ...recordingHandlers(parts), ...storageCommands(parts), ...retentionHandlers(parts), ...placementHandlers(parts), ...upkeepHandlers(parts), ...doorHandlers(parts), ...remoteHandlers(parts), ...otherCommands(parts) };
}

type Part<Names extends keyof EngineHandlers> = Pick<EngineHandlers, Names>;
type QueryHandlers = Part<
  | 'app.info' | 'cameras.list' | 'cameras.elsewhere' | 'discovery.state' | 'timeline.get' | 'timeline.drawn' | 'previews.at' | 'previews.sheet' | 'previews.latest'
  | 'events.list' | 'coverage.days' | 'storage.summary' | 'footage.locate' | 'settings.get'
>;
type CameraHandlers = Part<Extract<keyof EngineHandlers, `cameras.${string}`> & Exclude<keyof EngineHandlers, keyof QueryHandlers | 'cameras.received' | 'cameras.setRecording'>>;

function queries(parts: HandlerParts): QueryHandlers {
  const { archive, clock, ledger } = parts;
  return {
    'app.info': () => parts.appInfo(),
    'cameras.list': () => parts.board.list(),
    'cameras.elsewhere': () => camerasElsewhere(parts),
    'discovery.state': () => parts.searcher.state(),
    'timeline.get': (query) => wholeTimeline(parts, query),
    'timeline.drawn': (query) => drawnTimeline(parts, query),
    'previews.at': (input) => parts.previews.at(input),
    'previews.sheet': (input) => parts.previews.sheet(input),
    'previews.latest': (input) => parts.previews.latest(input),
    'events.list': async (query) => {
      const open = ledger.openGaps(clock.nowMs());
      return withOpenEvents(await archive.read.events(query), open, query);
    },
    'coverage.days': (query) => coverageDays(parts, query),
    'storage.summary': () => parts.summary(),
    'footage.locate': (input) => parts.footage.locate(input),
    'settings.get': () => parts.settings.get(),
  };
}

function cameraCommands(parts: HandlerParts): CameraHandlers {
  const { registry, prober, searcher, ingest, apply } = parts;
  const target = (wanted: CameraTarget): ProbeTarget => {
    if (wanted.kind === 'address') return wanted;
    const found = searcher.find(wanted.key);
    if (found === null) throw new PorchlightError('not-found', 'This camera has not been seen in the last search. Search again.');
    return { kind: 'found', found };
  };
  return {
    'cameras.probe': async ({ target: wanted, credentials }) => (await prober.probe(target(wanted), credentials)).probed,
    'cameras.snapshot': async ({ target: wanted, credentials }) => ({ bytes: await prober.snapshot(target(wanted), credentials) }),
    'cameras.add': async ({ target: wanted, credentials, name, sourceTokens }) => addProbed(registry, await prober.probe(target(wanted), credentials), name, sourceTokens),
    'cameras.update': ({ cameraId, name, recorded, recordSound }) =>
      registry.update(cameraId, { ...(name === undefined ? {} : { name }), ...(recorded === undefined ? {} : { recorded }), ...(recordSound === undefined ? {} : { recordSound }) }),
    'cameras.setCredentials': async ({ cameraId, credentials }) => {
      const camera = await registry.setCredentials(cameraId, credentials);
      forgetRefusals(prober, camera);
      await apply();
      for (const { id } of camerasOfDevice(camera, registry.list())) await ingest.retry(id);
      return camera;
    },
    'cameras.retry': async ({ cameraId }) => {
      forgetRefusals(prober, registry.get(cameraId));
      await ingest.retry(cameraId);
      return null;
    },
    'cameras.pause': ({ cameraId, untilMs }) => registry.pause(cameraId, untilMs),
    'cameras.resume': ({ cameraId }) => registry.resume(cameraId),
    'cameras.reorder': async ({ cameraIds }) => {
      await registry.reorder(cameraIds);
      return null;
    },
    'cameras.remove': async ({ cameraId }) => {
      await registry.remove(cameraId);
      return null;
    },
    'cameras.restore': ({ cameraId }: { readonly cameraId: CameraId }) => registry.restore(cameraId),
  };
}

function forgetRefusals(prober: Prober, camera: Camera): void {
  for (const url of [camera.deviceUrl, ...camera.streams.map((stream) => stream.url)]) {
    if (url !== null && URL.canParse(url)) prober.forgetRefusals(new URL(url).hostname);
  }
}

function storageCommands(parts: HandlerParts): Part<'storage.addRoot' | 'storage.removeRoot'> {
  const { archive, log, apply, storageChanged, summary } = parts;
  const rootsChanged = async (): Promise<StorageSummary> => {
    await apply();
    storageChanged();
    return await summary();
  };
  return {
    'storage.addRoot': async ({ path }) => {
      await archive.roots.add(path);
      // A disk that comes back brings its footage along.
      archive.reconcile().catch((error: unknown) => log.error('the footage of a disk could not be taken up', error));
      return await rootsChanged();
    },
    'storage.removeRoot': async ({ rootId }) => {
      if (archive.roots.list().length === 1) throw new PorchlightError('conflict', 'This is the only disk for footage. Add another one first.');
      await archive.roots.remove(rootId);
      return await rootsChanged();
    },
  };
}

function otherCommands(parts: HandlerParts): Part<'discovery.search' | 'settings.set'> {
  return {
    'discovery.search': () => {
      // The answer comes as events while it searches.
      parts.searcher.search().catch((error: unknown) => parts.log.warn('the search failed', error));
      return null;
    },
    'settings.set': (patch) => parts.settings.change(patch),
  };
}
