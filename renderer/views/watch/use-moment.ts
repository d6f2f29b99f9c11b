/** The moment that is shown: live, or a place in the past that plays, stands or is dragged. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { EpochMs } from '../../../shared/time.ts';
import { PlaybackController } from './playback-controller.ts';

/** Closer to now than this, there is nothing recorded to show yet: it is live. */
const LIVE_WITHIN_MS = 1_500;
/** The page's numbers follow at this pace; the pictures themselves do not wait for it. */
const PAINT_MS = 100;
const LIVE_TICK_MS = 500;
export const RATES = [0.5, 1, 2, 4, 8, 16] as const;

export interface Moment {
  readonly live: boolean;
  readonly atMs: EpochMs;
  readonly nowMs: EpochMs;
  readonly playing: boolean;
  readonly rate: number;
  /** Null while live. */
  readonly playback: PlaybackController | null;
  readonly goTo: (atMs: EpochMs) => void;
  /** While the pointer moves, and once more with `done` when it is let go. */
  readonly scrub: (atMs: EpochMs, done: boolean) => void;
  /** From where it is; the past of live is reached by it too. */
  readonly step: (byMs: number) => void;
  /** To the next (1) or the previous (-1) picture, and stand there. */
  readonly stepPicture: (direction: 1 | -1) => void;
  readonly goLive: () => void;
  readonly togglePlay: () => void;
  readonly pause: () => void;
  readonly setRate: (rate: number) => void;
}

/** `offsetMs`: the engine's clock minus this page's. */
export function useMoment(offsetMs: number): Moment {
  const [playback, setPlayback] = useState<PlaybackController | null>(null);
  const [atMs, setAtMs] = useState<EpochMs>(() => Date.now() + offsetMs);
  const [nowMs, setNowMs] = useState<EpochMs>(() => Date.now() + offsetMs);
  const [playing, setPlaying] = useState(true);
  const [rate, setRateState] = useState(1);
  const current = useRef<PlaybackController | null>(null);
  const resume = useRef(true);
  const shownMs = useRef(0);
  const now = useCallback(() => Date.now() + offsetMs, [offsetMs]);

  useEffect(() => {
    const tick = (): void => setNowMs(now());
    tick();
    const timer = setInterval(tick, LIVE_TICK_MS);
    return () => clearInterval(timer);
  }, [now]);
  useEffect(() => () => current.current?.close(), []);

  const goLive = useCallback(() => {
    current.current?.close();
    current.current = null;
    setPlayback(null);
    setPlaying(true);
    setRateState(1);
  }, []);

  /** The controller, made when the past is first entered. */
  const enterPast = useCallback(
    (toMs: EpochMs): PlaybackController => {
      if (current.current !== null) return current.current;
      const controller = new PlaybackController(toMs, {
        onPosition: (positionMs) => {
          const stamp = performance.now();
          if (stamp - shownMs.current < PAINT_MS && controller.playing) return;
          shownMs.current = stamp;
          setAtMs(positionMs);
        },
        onReachedNow: goLive,
      });
      current.current = controller;
      setPlayback(controller);
      return controller;
    },
    [goLive],
  );

  const goTo = useCallback(
    (toMs: EpochMs) => {
      if (toMs >= now() - LIVE_WITHIN_MS) {
        goLive();
        return;
      }
      const controller = enterPast(toMs);
      controller.seek(toMs);
      if (resume.current) controller.play();
      setPlaying(controller.playing);
      setAtMs(toMs);
    },
    [now, goLive, enterPast],
  );

  const scrub = useCallback(
    (toMs: EpochMs, done: boolean) => {
      if (done) {
        goTo(toMs);
        return;
      }
      const controller = enterPast(toMs);
      controller.seek(toMs, true);
      setAtMs(toMs);
    },
    [enterPast, goTo],
  );

  const position = useCallback(() => current.current?.positionMs ?? now(), [now]);
  const step = useCallback((byMs: number) => goTo(position() + byMs), [goTo, position]);
  const setPlay = useCallback(
    (wanted: boolean) => {
      resume.current = wanted;
      const controller = current.current;
      if (controller === null) {
        // Pausing live keeps the moment on screen.
        if (!wanted) goTo(now() - LIVE_WITHIN_MS - 500);
        resume.current = true;
        if (!wanted) {
          current.current?.pause();
          resume.current = false;
        }
      } else if (wanted) controller.play();
      else controller.pause();
      setPlaying(wanted);
      if (!wanted && controller !== null) setAtMs(controller.positionMs);
    },
    [goTo, now],
  );
  const togglePlay = useCallback(() => setPlay(!(current.current?.playing ?? true)), [setPlay]);
  const pause = useCallback(() => setPlay(false), [setPlay]);
  const stepPicture = useCallback(
    (direction: 1 | -1) => {
      pause();
      current.current?.stepPicture(direction);
    },
    [pause],
  );
  const setRate = useCallback((next: number) => {
    setRateState(next);
    current.current?.setRate(next);
  }, []);

  return useMemo(
    () => ({ live: playback === null, atMs: playback === null ? nowMs : atMs, nowMs, playing, rate, playback, goTo, scrub, step, stepPicture, goLive, togglePlay, pause, setRate }),
    [playback, atMs, nowMs, playing, rate, goTo, scrub, step, stepPicture, goLive, togglePlay, pause, setRate],
  );
}
