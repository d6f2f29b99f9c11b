/** Keeps the timeline's data for a window somewhat wider than what is shown, and fresh. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { DrawnTimeline, Span } from '../../../shared/model/timeline.ts';
import type { EpochMs, TimeRange } from '../../../shared/time.ts';
import { askTimeline } from '../../api/ask-timeline.ts';
import { useEngine, useEngineEvent } from '../../api/engine-context.tsx';
import { widthMs } from './time-window.ts';

/** Fetched beyond each edge, as a share of the window: a swipe stays within it. */
const MARGIN = 1;
/** No more often than this, however often something changes. */
const REFRESH_MS = 1_000;
/** The newest footage is known this late at most. */
const EDGE_MS = 6_000;

/** Three windows of pixels of a wide screen. */
const MAX_ITEMS = 4096;

/** Whether data for `have` still serves to show `want`. */
export function covers(have: TimeRange, want: TimeRange): boolean {
  const ratio = widthMs(have) / (widthMs(want) * (1 + 2 * MARGIN));
  return have.startMs <= want.startMs && have.endMs >= want.endMs && ratio < 2.5 && ratio > 0.4;
}

/** What reached "now" when it was asked for goes on growing: footage while its camera records, a gap while it does not. */
export function growFootage(timeline: DrawnTimeline, nowMs: EpochMs, recording: ReadonlySet<CameraId>): DrawnTimeline {
  const grow = <Part extends Span>(parts: readonly Part[]): readonly Part[] => {
    const last = parts.at(-1);
    return last === undefined || last.endMs < timeline.nowMs - EDGE_MS || nowMs <= last.endMs ? parts : [...parts.slice(0, -1), { ...last, endMs: nowMs }];
  };
  return { ...timeline, cameras: timeline.cameras.map((camera) => (recording.has(camera.cameraId) ? { ...camera, spans: grow(camera.spans) } : { ...camera, gaps: grow(camera.gaps) })) };
}

export function useTimeline(cameraIds: readonly CameraId[], window: TimeRange): DrawnTimeline | null {
  const client = useEngine();
  const [timeline, setTimeline] = useState<DrawnTimeline | null>(null);
  const wanted = useRef({ cameraIds, window });
  const fetched = useRef<(TimeRange & { readonly key: string }) | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const lastMs = useRef(0);
  const key = cameraIds.join();

  const load = useCallback(() => {
    timer.current = null;
    lastMs.current = performance.now();
    const { cameraIds: ids, window: shown } = wanted.current;
    const marginMs = widthMs(shown) * MARGIN;
    const range = { startMs: Math.max(0, shown.startMs - marginMs), endMs: shown.endMs + marginMs };
    fetched.current = { ...range, key: ids.join() };
    if (ids.length === 0) return;
    askTimeline(client, { cameraIds: [...ids], ...range, maxItems: MAX_ITEMS }).then(setTimeline, () => {
      fetched.current = null;
    });
  }, [client]);

  const schedule = useCallback(
    (soon: boolean) => {
      if (timer.current !== null) return;
      const sinceMs = performance.now() - lastMs.current;
      timer.current = setTimeout(load, soon ? Math.max(0, 120 - sinceMs) : Math.max(120, REFRESH_MS - sinceMs));
    },
    [load],
  );

  useEffect(() => {
    wanted.current = { cameraIds, window };
    const have = fetched.current;
    if (have === null || have.key !== key || !covers(have, window)) schedule(true);
  });
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
      timer.current = null;
    },
    [],
  );
  useEffect(() => client.onState(({ phase }) => phase === 'connected' && schedule(false)), [client, schedule]);
  useEngineEvent('timeline.changed', ({ startMs, endMs }) => {
    const have = fetched.current;
    if (have === null || (endMs >= have.startMs && startMs <= have.endMs)) schedule(false);
  });
  return timeline;
}
