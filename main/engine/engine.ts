/** The engine's composition root: builds the modules, connects what they tell each other, starts and stops them in order (docs/design/processes.md). */
import type { Channel } from '../../shared/contract/channel.ts';
import type { AppInfo, EngineHandlers } from '../../shared/contract/engine-api.ts';
import type { EngineInit, ParentLink, ServingInfo } from '../../shared/contract/engine-process.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { Settings } from '../../shared/model/settings.ts';
import type { StorageSummary } from '../../shared/model/storage.ts';
import { createClockWatch } from './cameras/clock-watch.ts';
import { createFinder } from './cameras/finder.ts';
import { createNeighbourTable } from './cameras/neighbours.ts';
import { createCameraNetwork } from './cameras/network.ts';
import { OtherCameraMarks } from './cameras/other-camera-marks.ts';
import { createProber, type Prober } from './cameras/prober.ts';
import { type Clock, systemClock } from './core/clock.ts';
import { askHost } from './discovery/ask-host.ts';
import { createSearcher, type Searcher } from './discovery/searcher.ts';
import { type Base, describeApp, openBase, StopStack } from './engine-base.ts';
import { openCare } from './engine-care.ts';
import { openRemote } from './engine-remote.ts';
import { type Recording, startRecording } from './engine-recording.ts';
import { startUpkeep } from './engine-upkeep.ts';
import { grabStill } from './ffmpeg/jobs.ts';
import { giveUpReserve, saysFull } from './process/data-space.ts';
import type { RunningEngine } from './process/engine-session.ts';
import { createRemoteHome } from './relay/home.ts';
import { summarizeStorage } from './retention/forecast.ts';
import { OWNER } from './rpc/access.ts';
import { type AnyMessagePort, messagePortChannel } from './rpc/channels/message-port-channel.ts';
import { createHandlers } from './rpc/handlers.ts';
import { accessOf } from './rpc/remote-access.ts';
import { serveSession } from './rpc/server.ts';
import { type Doors, openDoors } from './serve/doors.ts';

export interface Engine extends RunningEngine {
  readonly handlers: EngineHandlers;
  /** Serves one viewer until its channel closes. */
  attach(channel: Channel): void;
}

/** Builds and starts an engine; throws one PorchlightError when it cannot run at all, with everything given back. */
export async function createEngine(init: EngineInit, link: ParentLink | null = null, clock: Clock = systemClock): Promise<Engine> {
  try {
    return await attempt(init, link, clock);
  } catch (error) {
    if (!saysFull(error) || !(await giveUpReserve(init.dataDir))) throw error;
    return await attempt(init, link, clock);
  }
}

async function attempt(init: EngineInit, link: ParentLink | null, clock: Clock): Promise<Engine> {
  const stops = new StopStack();
  try {
    return await build(init, link, clock, stops);
  } catch (error) {
    await stops.run('failed');
    throw error;
  }
}

interface Network {
  readonly prober: Prober;
  readonly searcher: Searcher;
  readonly onResume: () => void;
}

/** Searching, asking and finding again. */
function startNetwork({ init, archive, clock, log, hub, registry, settings, ffmpeg }: Base, { board, ingest }: Recording, stops: StopStack): Network {
  const network = createCameraNetwork(clock, log.scoped('cameras'));
  const neighbours = createNeighbourTable(clock);
  const prober = createProber({
    network,
    neighbours,
    askHost: (host, wanted) => askHost(clock, host, wanted),
    grabFrame: ({ url, login, transport }) => grabStill(ffmpeg.require(), { url, transport, username: login?.username ?? null, password: login?.password ?? null }, clock),
  });
  const interfaces = (): readonly string[] => {
    const chosen = settings.get().searchInterfaces;
    // The demo's cameras live on this computer, where no search goes by itself.
    return chosen.length === 0 && init.demo ? ['127.0.0.1'] : chosen;
  };
  const searcher = createSearcher({ clock, log: log.scoped('discovery'), options: () => ({ interfaces: interfaces() }), configuredAs: (found, all) => registry.configuredAs(found, all), listen: !init.demo });
  searcher.onChange((state) => hub.tell('discovery.changed', state));
  const clockWatch = createClockWatch({ clock, log, cameras: () => registry.list(), readOffset: (camera) => prober.clockOffset(camera), onOffset: (cameraId, offsetMs) => board.clockOffset(cameraId, offsetMs) });
  ingest.onNotice((notice) => {
    if (notice.type !== 'status' || notice.stream !== 'main') return;
    clockWatch.heard(notice.cameraId, notice.status.state);
    finder.heard(notice.cameraId, notice.status.state);
  });
  const marks = new OtherCameraMarks({
    clock, log,
    write: async (event) => {
      await archive.write.insertEvent(event);
      hub.tell('timeline.changed', { cameraIds: [event.cameraId], startMs: event.startMs, endMs: event.endMs });
    },
  });
  const finder = createFinder({
    network,
    search: async () => (await searcher.search()).found,
    cameras: () => registry.list(),
    isOffline: (cameraId) => board.get(cameraId)?.state === 'offline',
    login: (cameraId) => registry.login(cameraId),
    loginRefused: (cameraId) => board.loginRefused(cameraId),
    relocate: (cameraId, to) => registry.relocate(cameraId, to),
    onDiagnosis: (cameraId, diagnosis) => board.diagnosed(cameraId, diagnosis),
    onOther: (cameraId, fromMs) => marks.tell(cameraId, fromMs),
    neighbours,
    isLive: (cameraId) => board.get(cameraId)?.state === 'live',
    noteMac: (cameraId, mac) => registry.noteMac(cameraId, mac),
  });
  const stopping = new AbortController();
  const running = Promise.allSettled([clockWatch.run(stopping.signal), finder.run(stopping.signal), searcher.start()]);
  stops.push(async () => {
    stopping.abort();
    await searcher.stop();
    await running;
    await marks.stop();
  });
  return { prober, searcher, onResume: () => clockWatch.refresh() };
}

async function build(init: EngineInit, link: ParentLink | null, clock: Clock, stops: StopStack): Promise<Engine> {
  const base = await openBase(init, link, clock, stops);
  const { log, hub, settings, archive } = base;
  const recording = await startRecording(base, stops);
  const network = startNetwork(base, recording, stops);
  const serving: { info: ServingInfo | null } = { info: null };
  const appInfo = (): AppInfo => describeApp(base, serving.info, recording.retention.broken);
  const summary = async (): Promise<StorageSummary> => summarizeStorage(archive.roots.conditions(), ...(await Promise.all([archive.read.usage(), archive.read.previewUsage()])), base.rules.get(), { broken: recording.retention.broken });
  const storageChanged = (): void => {
    recording.retention.hurry();
    summary().then((now) => hub.tell('storage.changed', now)).catch((error: unknown) => log.error('storage could not be summed up', error));
  };
  recording.retention.onBroken(() => {
    hub.tell('app.changed', appInfo());
    storageChanged();
  });
  connect(base, recording, network, appInfo);
  const away = await openRemote(base, recording, {
    create: createRemoteHome,
    // A device that asks where the home is reached is told apart from others: what it knows is written down.
    serve: (channel, { id, grants }, media) => void serveSession(channel, { handlers: { ...handlers, 'remote.reach': ({ known }) => away.remote.reach(id, known) }, media, events: hub.subscribe, access: accessOf(grants, () => clock.nowMs()), log: log.scoped('guest') }),
  }, stops);
  const care = await openCare(base, recording, [away.remotePart], stops);
  const doorsOpen = Promise.withResolvers<Doors>();
  const handlers = createHandlers({
    ...base, ...network, ...recording, ...care, ...away,
    doors: doorsOpen.promise,
    previews: recording.previewStore,
    appInfo,
    summary,
    apply: async () => {
      await recording.director.apply();
      await recording.placement.lookForAbsent();
    },
    storageChanged,
  });
  const attach = (channel: Channel): void => void serveSession(channel, { handlers, media: recording.footage, events: hub.subscribe, access: OWNER, log: log.scoped('viewer') });
  const doors = await openDoors({ dataDir: init.dataDir, clock, log, onChannel: attach, onChange: (state) => hub.tell('doors.changed', state) }, init.serve);
  stops.push(() => doors.stop());
  doorsOpen.resolve(doors);
  serving.info = doors.serving;
  away.remote.start().catch((error: unknown) => log.error('watching from away could not begin', error));
  startUpkeep(base, recording, care.doctor, handlers, summary, appInfo, stops);
  log.info('ready');
  return {
    handlers,
    serving: doors.serving,
    attach,
    attachPort: (port) => attach(messagePortChannel(port as AnyMessagePort)),
    power: (change) => {
      log.info(`the computer ${change === 'suspend' ? 'goes to sleep' : 'woke up'}`);
      if (change !== 'resume') return;
      recording.marker.lookForSleep();
      network.onResume();
    },
    settings: () => settings.get(),
    onSettings: (listener: (next: Settings) => void) => void settings.onChange(listener),
    stop: async (reason) => {
      log.info('stops');
      await stops.run(reason);
    },
  };
}

/** Everything that follows from a change of cameras, settings or the index. */
function connect({ registry, settings, archive, ffmpeg, hub, clock, log }: Base, { board, director, edges, eventRecorder, ledger }: Recording, { searcher }: Network, appInfo: () => AppInfo): void {
  let known: ReadonlySet<CameraId> = new Set(registry.list().map((camera) => camera.id));
  registry.onChange((list) => {
    const now = new Set(list.map((camera) => camera.id));
    for (const gone of known) {
      if (now.has(gone)) continue;
      ledger.forget(gone);
      edges.forget(gone);
    }
    known = now;
    board.configured();
    eventRecorder.refresh();
    hub.tell('cameras.changed', board.list());
    hub.tell('discovery.changed', searcher.state());
    void director.apply();
    for (const camera of list) {
      archive.write.describeCamera({ id: camera.id, name: camera.name, streams: camera.recorded }).catch((error: unknown) => log.error(`${camera.id} could not be described on its disk`, error));
    }
  });
  settings.onChange((next) => {
    hub.tell('settings.changed', next);
    const follow = async (): Promise<void> => {
      if (!(await ffmpeg.refresh())) return;
      hub.tell('app.changed', appInfo());
      await director.apply();
    };
    follow().catch((error: unknown) => log.error('ffmpeg could not be looked for', error));
  });
  archive.onRebuilding(() => {
    hub.tell('app.changed', appInfo());
    hub.tell('timeline.changed', { cameraIds: [...known], startMs: 0, endMs: clock.nowMs() });
  });
}
