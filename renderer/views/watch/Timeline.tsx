/** The timeline of every camera: a canvas that is dragged, zoomed and clicked, and a slider for keyboard and screen reader. */
import { type CSSProperties, type PointerEvent, type ReactNode, type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { GAP_CAUSE_LABEL } from '../../../shared/model/gap.ts';
import type { Camera } from '../../../shared/model/camera.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { FootageLock } from '../../../shared/model/locks.ts';
import type { DrawnCamera, DrawnTimeline } from '../../../shared/model/timeline.ts';
import { DAY_MS, type EpochMs, MINUTE_MS, type TimeRange } from '../../../shared/time.ts';
import { formatClock, formatDay, formatDuration, formatShortDay, formatTime } from '../../components/format.ts';
import { type DragEnd, type KeepRange, rangeOfDrag } from './keep-range.ts';
import { type PreviewPointer, usePreviewPointer } from './preview-pointer.ts';
import { AXIS_PX, drawTimeline, fitCanvas, readColours, rowBox } from './timeline-draw.ts';
import { pan, tickStepMs, ticks, widthMs, zoom } from './time-window.ts';
import { RangeToKeep } from './RangeToKeep.tsx';
import { useSize } from './use-size.ts';

export interface TimelineProps {
  readonly cameras: readonly Camera[];
  /** Those whose pictures may be seen under the pointer. */
  readonly previewed: ReadonlySet<CameraId>;
  readonly data: DrawnTimeline | null;
  /** Footage that is kept for good. */
  readonly locks: readonly FootageLock[];
  readonly window: TimeRange;
  readonly onWindow: (window: TimeRange) => void;
  readonly playheadMs: EpochMs;
  readonly nowMs: EpochMs;
  readonly selected: CameraId | null;
  /** The pointer moves over moments; `done` when it is let go. */
  readonly onSeek: (atMs: EpochMs, done: boolean) => void;
  /** The pointer stands on a moment and is not pressed. */
  readonly onRest: (atMs: EpochMs) => void;
  readonly onOpen: (cameraId: CameraId) => void;
  /** What is about to be kept for good; null: nothing. */
  readonly range: KeepRange | null;
  /** Null where nothing can be kept. */
  readonly onRange: ((range: KeepRange | null) => void) | null;
  readonly onKeepRange: (range: KeepRange, note: string) => void;
}

type Drag = { readonly kind: 'seek' } | { readonly kind: 'pan'; readonly x: number; readonly window: TimeRange; moved: boolean } | { readonly kind: 'range'; readonly from: DragEnd };

const LABEL_APART_PX = 92;
/** A pointer that has not moved for so long stands. */
const STANDS_MS = 40;
const WHEEL_ZOOM = 0.0016;

export function Timeline(props: TimelineProps): ReactNode {
  const { cameras, data, window: shown, playheadMs, nowMs, selected } = props;
  const holder = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(holder);
  const [hover, setHover] = useState<{ readonly x: number; readonly row: number } | null>(null);
  const drag = useRef<Drag | null>(null);
  const [drawing, setDrawing] = useState(false);
  const standing = useRef<number | undefined>(undefined);
  const rows = useMemo(() => cameras.map((camera) => data?.cameras.find(({ cameraId }) => cameraId === camera.id) ?? null), [cameras, data]);
  const kept = useMemo(() => cameras.map((camera) => props.locks.filter(({ cameraId }) => cameraId === camera.id)), [cameras, props.locks]);
  const momentAt = useCallback((x: number): EpochMs => shown.startMs + (x / Math.max(1, size.width)) * widthMs(shown), [shown, size.width]);
  const hoverMs = hover === null ? null : Math.min(momentAt(hover.x), nowMs);
  const hovered = hover === null ? undefined : cameras[hover.row];
  const preview = usePreviewPointer();
  const selectedRow = cameras.findIndex(({ id }) => id === selected);

  useDrawing({ canvas, size, shown, rows, kept, nowMs, playheadMs, hoverMs, selectedRow: selectedRow < 0 ? null : selectedRow });
  useWheel(holder, shown, nowMs, momentAt, props.onWindow);

  const place = (event: { readonly clientX: number; readonly clientY: number }): { x: number; y: number } => {
    const box = holder.current?.getBoundingClientRect();
    return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) };
  };
  const rowAt = (y: number): number => {
    const index = cameras.findIndex((_, row) => {
      const { top, height } = rowBox(row, cameras.length, size.height);
      return y < top + height + 3;
    });
    return index < 0 ? cameras.length - 1 : index;
  };

  useRawPointer(holder, (event) => {
    const { x, y } = place(event);
    const camera = drag.current?.kind === 'pan' || drag.current?.kind === 'range' ? undefined : cameras[rowAt(y)];
    if (camera === undefined) return;
    const atMs = Math.min(momentAt(x), nowMs);
    if (props.previewed.has(camera.id)) preview.want(camera.id, atMs);
    else preview.leave();
    window.clearTimeout(standing.current);
    if (drag.current === null && y >= AXIS_PX) standing.current = window.setTimeout(() => props.onRest(atMs), STANDS_MS);
  });
  const leave = (): void => {
    window.clearTimeout(standing.current);
    setHover(null);
    preview.leave();
  };

  const onPointerDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    window.clearTimeout(standing.current);
    const { x, y } = place(event);
    holder.current?.setPointerCapture(event.pointerId);
    if (event.shiftKey && y >= AXIS_PX && props.onRange !== null) {
      const from = { row: rowAt(y), atMs: Math.min(momentAt(x), nowMs) };
      drag.current = { kind: 'range', from };
      setDrawing(true);
      leave();
      props.onRange(rangeOfDrag(from, from, cameras.map(({ id }) => id), nowMs));
      return;
    }
    drag.current = y < AXIS_PX ? { kind: 'pan', x, window: shown, moved: false } : { kind: 'seek' };
    if (drag.current.kind === 'seek') props.onSeek(Math.min(momentAt(x), nowMs), false);
  };
  const onPointerMove = (event: PointerEvent): void => {
    const { x, y } = place(event);
    const now = drag.current;
    if (now?.kind === 'pan') {
      now.moved ||= Math.abs(x - now.x) > 3;
      props.onWindow(pan(now.window, ((now.x - x) / size.width) * widthMs(now.window), nowMs));
    } else if (now?.kind === 'range') {
      props.onRange?.(rangeOfDrag(now.from, { row: rowAt(y), atMs: momentAt(x) }, cameras.map(({ id }) => id), nowMs));
    } else {
      setHover({ x, row: rowAt(y) });
      if (now !== null) props.onSeek(Math.min(momentAt(x), nowMs), false);
    }
  };
  const onPointerUp = (event: PointerEvent): void => {
    const { x } = place(event);
    const was = drag.current;
    drag.current = null;
    setDrawing(false);
    if (was?.kind === 'seek' || (was?.kind === 'pan' && !was.moved)) props.onSeek(Math.min(momentAt(x), nowMs), true);
    if (event.pointerType === 'touch') leave();
  };

  return (
    <div className="timeline" style={{ '--rows': cameras.length } as CSSProperties}>
      <div className="timeline-names">
        {cameras.map((camera, row) => (
          <button key={camera.id} type="button" style={{ top: rowBox(row, cameras.length, size.height).top, height: rowBox(row, cameras.length, size.height).height }} aria-pressed={camera.id === selected} onClick={() => props.onOpen(camera.id)}>
            {camera.name}
          </button>
        ))}
      </div>
      <div
        ref={holder}
        className="timeline-rows"
        data-start-ms={shown.startMs}
        data-end-ms={shown.endMs}
        role="slider"
        tabIndex={0}
        aria-label="Moment shown"
        aria-valuemin={Math.round(shown.startMs)}
        aria-valuemax={Math.round(nowMs)}
        aria-valuenow={Math.round(playheadMs)}
        aria-valuetext={describeMoment(playheadMs, nowMs, cameras, rows)}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={() => {
          if (drag.current?.kind === 'range') props.onRange?.(null);
          drag.current = null;
          setDrawing(false);
        }}
        onPointerLeave={leave}
      >
        <canvas ref={canvas} aria-hidden="true" />
      </div>
      {props.range === null || size.width === 0 ? null : (
        <RangeToKeep range={props.range} cameras={cameras} window={shown} nowMs={nowMs} size={size} drawing={drawing} onRange={(next) => props.onRange?.(next)} onKeep={props.onKeepRange} onCancel={() => props.onRange?.(null)} />
      )}
      {hover === null || hoverMs === null || hovered === undefined ? null : (
        <Peek x={hover.x} width={size.width} atMs={hoverMs} name={hovered.name} preview={preview} note={noteAt(rows[hover.row] ?? null, hoverMs) ?? keptAt(kept[hover.row] ?? [], hoverMs)} narrow={widthMs(shown) < 3 * DAY_MS} />
      )}
    </div>
  );
}

function useDrawing(
  state: { readonly canvas: RefObject<HTMLCanvasElement | null>; readonly size: { readonly width: number; readonly height: number }; readonly shown: TimeRange; readonly rows: readonly (DrawnCamera | null)[]; readonly kept: readonly (readonly TimeRange[])[]; readonly nowMs: EpochMs; readonly playheadMs: EpochMs; readonly hoverMs: EpochMs | null; readonly selectedRow: number | null },
): void {
  const theme = useThemeName();
  const colours = useMemo(() => (theme === '' ? null : readColours(document.documentElement)), [theme]);
  useLayoutEffect(() => {
    const element = state.canvas.current;
    const context = element?.getContext('2d');
    const { size, shown } = state;
    if (element === null || context === null || context === undefined || colours === null || size.width === 0) return;
    const scale = fitCanvas(element, size.width, size.height);
    const stepMs = tickStepMs(shown, size.width, LABEL_APART_PX);
    const labelOf = ({ atMs, day }: { readonly atMs: EpochMs; readonly day: boolean }): string => (day ? formatShortDay(atMs) : stepMs < MINUTE_MS ? formatClock(atMs) : formatTime(atMs));
    drawTimeline(context, { widthPx: size.width, heightPx: size.height, scale, window: shown, rows: state.rows, kept: state.kept, ticks: ticks(shown, stepMs), labelOf, nowMs: state.nowMs, playheadMs: state.playheadMs, hoverMs: state.hoverMs, selectedRow: state.selectedRow, colours });
  });
}

/** Changes when the page's theme does, so that the canvas reads its colours anew. */
function useThemeName(): string {
  const [name, setName] = useState('');
  useEffect(() => {
    const read = (): void => setName(document.documentElement.dataset['theme'] ?? 'dark');
    read();
    const observer = new MutationObserver(read);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    return () => observer.disconnect();
  }, []);
  return name;
}

function useWheel(holder: { readonly current: HTMLDivElement | null }, shown: TimeRange, nowMs: EpochMs, momentAt: (x: number) => EpochMs, onWindow: (window: TimeRange) => void): void {
  const latest = useRef({ shown, nowMs, momentAt, onWindow });
  useEffect(() => {
    latest.current = { shown, nowMs, momentAt, onWindow };
  });
  useEffect(() => {
    const element = holder.current;
    if (element === null) return undefined;
    // React's wheel listeners are passive and could not keep the page from zooming.
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      const { shown: window, nowMs: now, momentAt: moment, onWindow: tell } = latest.current;
      const sideways = event.shiftKey ? event.deltaY : event.deltaX;
      if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) tell(pan(window, (sideways / element.clientWidth) * widthMs(window), now));
      else tell(pan(zoom(window, Math.exp(event.deltaY * WHEEL_ZOOM), moment(event.clientX - element.getBoundingClientRect().left)), 0, now));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [holder]);
}

/** Every move of the pointer as it comes: the browser hands the others out once per frame, too late for a picture that is to be on it. Where it has no such event, those have to do. */
function useRawPointer(holder: { readonly current: HTMLDivElement | null }, onMove: (event: globalThis.PointerEvent) => void): void {
  const latest = useRef(onMove);
  useEffect(() => {
    latest.current = onMove;
  });
  useEffect(() => {
    const element = holder.current;
    if (element === null) return undefined;
    const type = 'onpointerrawupdate' in element ? 'pointerrawupdate' : 'pointermove';
    const tell = (event: Event): void => latest.current(event as globalThis.PointerEvent);
    element.addEventListener(type, tell);
    return () => element.removeEventListener(type, tell);
  }, [holder]);
}

/** What is there at a moment of a row, in words; null where there is footage. */
function noteAt(row: DrawnCamera | null, atMs: EpochMs): string | null {
  const gap = row?.gaps.find(({ startMs, endMs }) => atMs >= startMs && atMs < endMs);
  if (gap !== undefined) return `${GAP_CAUSE_LABEL[gap.cause]} · ${formatDuration(gap.endMs - gap.startMs)}`;
  if (row?.absent?.some(({ startMs, endMs }) => atMs >= startMs && atMs < endMs) === true) return 'On a disk that is not here';
  return row?.spans.some(({ startMs, endMs }) => atMs >= startMs && atMs < endMs) === true ? null : 'No footage';
}

/** That a moment is kept for good, and what was noted; null where it is not. */
function keptAt(locks: readonly FootageLock[], atMs: EpochMs): string | null {
  const lock = locks.find(({ startMs, endMs }) => atMs >= startMs && atMs < endMs);
  return lock === undefined ? null : lock.note === '' ? 'Kept for good' : `Kept: ${lock.note}`;
}

function describeMoment(atMs: EpochMs, nowMs: EpochMs, cameras: readonly Camera[], rows: readonly (DrawnCamera | null)[]): string {
  const moment = nowMs - atMs < 3_000 ? 'Live' : `${formatDay(atMs)}, ${formatClock(atMs)}`;
  const missing = cameras.filter((_, row) => nowMs - atMs >= 3_000 && noteAt(rows[row] ?? null, atMs) !== null).map(({ name }) => name);
  return missing.length === 0 ? moment : `${moment}; no footage of ${missing.join(', ')}`;
}

interface PeekProps {
  readonly x: number;
  readonly width: number;
  readonly atMs: EpochMs;
  readonly name: string;
  readonly preview: PreviewPointer;
  readonly note: string | null;
  readonly narrow: boolean;
}

const PEEK_PX = 216;

function Peek({ x, width, atMs, name, preview, note, narrow }: PeekProps): ReactNode {
  const image = useRef<HTMLImageElement>(null);
  useLayoutEffect(() => {
    preview.attach(image.current);
    return () => preview.attach(null);
  }, [preview]);
  const left = Math.min(Math.max(x - PEEK_PX / 2, 0), Math.max(0, width - PEEK_PX));
  return (
    <div className="peek" style={{ left: `calc(var(--names) + ${left}px)` }} aria-hidden="true">
      <img ref={image} alt="" hidden />
      <div className="peek-text">
        <strong className="numbers">{narrow ? formatClock(atMs) : `${formatShortDay(atMs)}, ${formatTime(atMs)}`}</strong>
        <span>{note ?? name}</span>
      </div>
    </div>
  );
}
