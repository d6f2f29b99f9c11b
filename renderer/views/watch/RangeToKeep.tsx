/** What is about to be kept for good, on the timeline: the range with two edges to take hold of, and what becomes of it. */
import { type FormEvent, type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import type { Camera } from '../../../shared/model/camera.ts';
import type { EpochMs, TimeRange } from '../../../shared/time.ts';
import { Button } from '../../components/Button.tsx';
import { formatClock, formatDay, formatDuration, formatShortDay, localDayStart } from '../../components/format.ts';
import { edgeStepMs, type KeepRange, withEdge } from './keep-range.ts';
import { rowBox } from './timeline-draw.ts';
import { widthMs } from './time-window.ts';

export interface RangeToKeepProps {
  readonly range: KeepRange;
  /** In the order of the rows. */
  readonly cameras: readonly Camera[];
  readonly window: TimeRange;
  readonly nowMs: EpochMs;
  /** Of the rows. */
  readonly size: { readonly width: number; readonly height: number };
  /** It is still being dragged: nothing takes the focus. */
  readonly drawing: boolean;
  readonly onRange: (range: KeepRange) => void;
  readonly onKeep: (range: KeepRange, note: string) => void;
  readonly onCancel: () => void;
}

export function RangeToKeep(props: RangeToKeepProps): ReactNode {
  const { range, cameras, window: shown, size, onCancel } = props;
  const xOf = (atMs: EpochMs): number => ((atMs - shown.startMs) / widthMs(shown)) * size.width;
  const rows = cameras.flatMap(({ id }, row) => (range.cameraIds.includes(id) ? [rowBox(row, cameras.length, size.height)] : []));
  const top = Math.min(...rows.map((row) => row.top)) - 2;
  const bottom = Math.max(...rows.map((row) => row.top + row.height)) + 2;
  const [left, right] = [Math.max(-4, xOf(range.startMs)), Math.min(size.width + 4, xOf(range.endMs))];
  useEscape(onCancel);
  // By a key or the menu; one that is drawn with the pointer leaves the focus where it is.
  const overlay = useRef<HTMLDivElement>(null);
  const byKey = useRef(!props.drawing);
  useEffect(() => {
    if (byKey.current) overlay.current?.querySelector<HTMLElement>('[data-edge="start"]')?.focus();
  }, []);
  if (rows.length === 0) return null;
  return (
    <>
      <div className="to-keep" ref={overlay}>
        {right > left ? <div className="to-keep-bar" style={{ left, width: right - left, top, height: bottom - top }} /> : null}
        <Edge {...props} edge="start" x={xOf(range.startMs)} top={top} height={bottom - top} />
        <Edge {...props} edge="end" x={xOf(range.endMs)} top={top} height={bottom - top} />
      </div>
      <Panel {...props} middle={(Math.max(0, left) + Math.min(size.width, right)) / 2} />
    </>
  );
}

/** Wherever the focus is: giving up a range leads nowhere else. */
function useEscape(onEscape: () => void): void {
  const latest = useRef(onEscape);
  useEffect(() => {
    latest.current = onEscape;
  });
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.defaultPrevented || (event.target instanceof HTMLElement && event.target.closest('[role="menu"], .dialog') !== null)) return;
      event.preventDefault();
      latest.current();
    };
    window.addEventListener('keydown', onKey, true);
    return () => window.removeEventListener('keydown', onKey, true);
  }, []);
}

interface EdgeProps extends RangeToKeepProps {
  readonly edge: 'start' | 'end';
  readonly x: number;
  readonly top: number;
  readonly height: number;
}

function Edge({ edge, x, top, height, range, window: shown, nowMs, size, onRange }: EdgeProps): ReactNode {
  const held = useRef<number | null>(null);
  const atMs = edge === 'start' ? range.startMs : range.endMs;
  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.button !== 0) return;
    event.stopPropagation();
    event.currentTarget.setPointerCapture(event.pointerId);
    // Where it was taken hold of stays under the pointer.
    held.current = event.clientX - x;
  };
  const onPointerMove = (event: PointerEvent): void => {
    event.stopPropagation();
    if (held.current !== null) onRange(withEdge(range, edge, shown.startMs + ((event.clientX - held.current) / Math.max(1, size.width)) * widthMs(shown), nowMs));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const stepMs = edgeStepMs(event);
    if (stepMs === null) return;
    event.preventDefault();
    onRange(withEdge(range, edge, atMs + stepMs, nowMs));
  };
  return (
    <div
      className="to-keep-edge"
      data-edge={edge}
      hidden={x < -1 || x > size.width + 1}
      style={{ left: x, top, height }}
      role="slider"
      tabIndex={0}
      aria-label={edge === 'start' ? 'Beginning of what is kept' : 'End of what is kept'}
      aria-valuemin={Math.round(edge === 'start' ? shown.startMs : range.startMs)}
      aria-valuemax={Math.round(edge === 'start' ? range.endMs : nowMs)}
      aria-valuenow={Math.round(atMs)}
      aria-valuetext={`${formatDay(atMs)}, ${formatClock(atMs)}`}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => (held.current = null)}
      onPointerCancel={() => (held.current = null)}
      onKeyDown={onKeyDown}
    />
  );
}

const PANEL_PX = 340;

function Panel({ range, cameras, size, drawing, middle, onKeep, onCancel }: RangeToKeepProps & { readonly middle: number }): ReactNode {
  const [note, setNote] = useState('');
  const names = cameras.filter(({ id }) => range.cameraIds.includes(id)).map(({ name }) => name);
  const left = Math.min(Math.max(middle - PANEL_PX / 2, 0), Math.max(0, size.width - PANEL_PX));
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    onKeep(range, note.trim());
  };
  return (
    <form className="to-keep-panel" role="dialog" aria-label="Keep a range for good" data-drawing={drawing} style={{ left: `calc(var(--names) + ${left}px)` }} onSubmit={onSubmit}>
      <p className="to-keep-what" aria-live="polite">
        <strong className="numbers">{formatRange(range)}</strong>
        <span>{formatDuration(range.endMs - range.startMs)}</span>
      </p>
      <p className="to-keep-names">{names.length > 2 ? `${names.length} cameras` : names.join(' and ')}</p>
      <div className="to-keep-form">
        <input className="input" aria-label="Note" placeholder="Note, if you like" maxLength={200} value={note} onChange={(event) => setNote(event.target.value)} />
        <Button type="submit" tone="primary">
          Keep
        </Button>
        <Button tone="quiet" onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

/** "14:05:10 – 14:07:30", with the days where it is over more than one. */
function formatRange({ startMs, endMs }: TimeRange): string {
  if (localDayStart(startMs) === localDayStart(endMs)) return `${formatClock(startMs)} – ${formatClock(endMs)}`;
  return `${formatShortDay(startMs)}, ${formatClock(startMs)} – ${formatShortDay(endMs)}, ${formatClock(endMs)}`;
}
