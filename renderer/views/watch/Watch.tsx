/** The main screen: the pictures at a moment, and under them the timeline of every camera. Live is the right-hand end of time. */
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { CameraId } from '../../../shared/model/ids.ts';
import { type EpochMs, HOUR_MS, MINUTE_MS, type TimeRange } from '../../../shared/time.ts';
import { useQuery } from '../../api/engine-context.tsx';
import { useLocks } from '../../state/locks.ts';
import { useIsAway, useSight } from '../../state/place.tsx';
import { may, mayKnowTimes } from '../../state/rights.ts';
import { type Route, useRoute } from '../../state/route.ts';
import { AheadProvider, useAheadPicture } from './ahead-context.tsx';
import { ContactSheet } from './ContactSheet.tsx';
import { Controls } from './Controls.tsx';
import { GoToDialog } from './GoToDialog.tsx';
import { Grid } from './Grid.tsx';
import { Keep, minuteAround, useKeep } from './Keep.tsx';
import { type KeepRange, rangeAround } from './keep-range.ts';
import type { PlaybackController } from './playback-controller.ts';
import { Timeline } from './Timeline.tsx';
import { followNow, keepInSight } from './time-window.ts';
import { useMoment } from './use-moment.ts';
import { growFootage, useTimeline } from './use-timeline.ts';
import { useWatched } from './use-watched.ts';
import { useWatchKeys } from './watch-keys.ts';
import './range-to-keep.css';
import './timeline.css';
import './watch.css';
import './watch-phone.css';

const FIRST_WINDOW_MS = 2 * HOUR_MS;
const NARROWEST_FIRST_MS = 5 * MINUTE_MS;

export function Watch(): ReactNode {
  const route = useRoute();
  const entries = useWatched(route.cameraId);
  const info = useQuery('app.info', {});
  const [offsetMs, setOffsetMs] = useState(0);
  useEffect(() => {
    if (info.data !== null) setOffsetMs(info.data.nowMs - Date.now());
  }, [info.data]);
  const moment = useMoment(offsetMs);
  const isAway = useIsAway();
  useHoldWhileBlank(moment.playback);
  const [opened, setOpened] = useState<CameraId | null>(route.cameraId);
  const [audible, setAudible] = useState<CameraId | null>(null);
  const [window, setWindow] = useState(() => followNow({ startMs: 0, endMs: FIRST_WINDOW_MS }, Date.now()));
  const [dialog, setDialog] = useState<'go-to' | 'sheet' | null>(null);
  const stage = useRef<HTMLDivElement>(null);
  const cameras = useMemo(() => (entries ?? []).map(({ camera }) => camera), [entries]);
  const ids = useMemo(() => cameras.map(({ id }) => id), [cameras]);
  const timed = useMemo(() => (entries ?? []).filter(mayKnowTimes).map(({ camera }) => camera), [entries]);
  const previewed = useMemo(() => new Set((entries ?? []).filter((entry) => may(entry, 'previews')).map(({ camera }) => camera.id)), [entries]);
  const timeline = useTimeline(useMemo(() => timed.map(({ id }) => id), [timed]), window);
  const { atMs, nowMs, live } = moment;

  // Until somebody moves it, the window shows what there is: minutes on the first day, hours later.
  const firstMs = timeline?.bounds?.startMs ?? null;
  const touched = useRef(false);
  const moveWindow = useCallback((next: TimeRange) => {
    touched.current = true;
    setWindow(next);
  }, []);
  useEffect(() => {
    if (firstMs === null || touched.current) return;
    touched.current = true;
    const lengthMs = Math.min(FIRST_WINDOW_MS, Math.max(NARROWEST_FIRST_MS, (Date.now() + offsetMs - firstMs) * 1.4));
    setWindow(followNow({ startMs: 0, endMs: lengthMs }, Date.now() + offsetMs));
  }, [firstMs, offsetMs]);

  // A link to a moment (from an event, a camera) is followed whenever the address changes, and not again when a new connection tells the time anew.
  const { goTo } = moment;
  const followed = useRef<Route | null>(null);
  useEffect(() => {
    if (followed.current === route) return;
    followed.current = route;
    if (route.cameraId !== null) setOpened(route.cameraId);
    if (route.atMs !== null) goTo(route.atMs);
  }, [route, goTo]);
  useEffect(() => {
    setWindow((before) => (live ? (before.endMs < nowMs || before.startMs > nowMs ? followNow(before, nowMs) : keepNowInSight(before, nowMs)) : keepInSight(before, atMs)));
  }, [live, atMs, nowMs]);
  useEffect(() => {
    if (opened !== null && entries !== null && !ids.includes(opened)) setOpened(null);
  }, [opened, entries, ids]);

  const toggle = useCallback((cameraId: CameraId) => setOpened((before) => (before === cameraId ? null : cameraId)), []);
  const toggleSound = useCallback((cameraId: CameraId) => setAudible((before) => (before === cameraId ? null : cameraId)), []);
  const fullScreen = useCallback(() => void (document.fullscreenElement === null ? stage.current?.requestFullscreen() : document.exitFullscreen()), []);
  const locks = useLocks().data;
  const shownCameras = useMemo(() => cameras.filter(({ id }) => opened === null || id === opened), [cameras, opened]);
  const keep = useKeep(shownCameras, nowMs);
  const [range, setRange] = useState<KeepRange | null>(null);
  const chooseRange = (): void => {
    // The window stays as it is: an edge that is out of sight could not be taken hold of.
    touched.current = true;
    setRange(rangeAround(atMs, window, shownCameras.map(({ id }) => id), nowMs));
  };
  const keepRange = (chosen: KeepRange, note: string): void => {
    keep(chosen, note, cameras.filter(({ id }) => chosen.cameraIds.includes(id)));
    setRange(null);
  };
  useWatchKeys({ moment, window, onWindow: moveWindow, ids, opened, onOpened: setOpened, onSound: toggleSound, onFullScreen: fullScreen, onDialog: setDialog, onKeep: isAway ? null : () => keep(minuteAround(atMs)), onChooseRange: isAway ? null : () => chooseRange() });

  const growing = useMemo(() => (timeline === null ? null : growFootage(timeline, nowMs, new Set((entries ?? []).filter(({ status }) => status.recording).map(({ camera }) => camera.id)))), [timeline, nowMs, entries]);
  const shown = (entries ?? []).filter(({ camera }) => opened === null || camera.id === opened);
  const ahead = useAheadPicture();
  // Of one camera alone: sixteen pictures for a place where the pointer only rests would be too much.
  const [first] = shown;
  const alone = shown.length === 1 && first !== undefined && may(first, 'playback') ? first.camera.id : null;
  const prepare = useCallback(
    (toMs: EpochMs) => {
      if (alone !== null) ahead.rest({ cameraId: alone, stream: 'main' }, toMs);
    },
    [ahead, alone],
  );
  const sheetCamera = cameras.find(({ id }) => previewed.has(id) && (opened === null || id === opened));
  return (
    <div className="watch">
      <h1 className="visually-hidden">Watch</h1>
      <div className="stage" ref={stage}>
        <AheadProvider ahead={ahead}>
          <Grid
            entries={shown}
            all={entries ?? []}
            opened={opened}
            audible={audible}
            playback={moment.playback}
            nowMs={nowMs}
            onOpen={toggle}
            onSound={toggleSound}
          />
        </AheadProvider>
      </div>
      <section className="time" aria-label="Time">
        <Controls moment={moment} opened={opened !== null} onBack={() => setOpened(null)} onFullScreen={fullScreen} onDialog={setDialog} hasSheet={sheetCamera !== undefined} onWindow={moveWindow} window={window} keep={isAway ? null : <Keep cameras={shownCameras} atMs={atMs} nowMs={nowMs} window={window} keep={keep} onChoose={chooseRange} />} />
        <Timeline
          cameras={timed}
          previewed={previewed}
          data={growing}
          locks={locks ?? []}
          window={window}
          onWindow={moveWindow}
          playheadMs={atMs}
          nowMs={nowMs}
          selected={opened}
          onSeek={moment.scrub}
          onRest={prepare}
          onOpen={toggle}
          range={range}
          onRange={isAway ? null : setRange}
          onKeepRange={keepRange}
        />
      </section>
      <GoToDialog open={dialog === 'go-to'} onOpenChange={(open) => setDialog(open ? 'go-to' : null)} atMs={atMs} nowMs={nowMs} onGo={goTo} />
      {sheetCamera === undefined ? null : (
        <ContactSheet open={dialog === 'sheet'} onOpenChange={(open) => setDialog(open ? 'sheet' : null)} camera={sheetCamera} atMs={atMs} onGo={goTo} />
      )}
    </div>
  );
}

/** Footage nobody can see does not go by; when it may be seen again, its picture is shown anew. */
function useHoldWhileBlank(playback: PlaybackController | null): void {
  const blank = useSight().kind === 'blank';
  useEffect(() => {
    if (!blank || playback === null) return undefined;
    const { playing } = playback;
    playback.pause();
    return () => {
      playback.seek(playback.positionMs);
      if (playing) playback.play();
    };
  }, [blank, playback]);
}

/** While live, the window glides only when "now" comes near its edge: a timeline that crawls all the time is restless. */
function keepNowInSight(window: { readonly startMs: EpochMs; readonly endMs: EpochMs }, nowMs: EpochMs): { readonly startMs: EpochMs; readonly endMs: EpochMs } {
  const share = (nowMs - window.startMs) / (window.endMs - window.startMs);
  return share > 0.985 ? followNow(window, nowMs) : window;
}
