/** The hours of a week, painted by pointer (drag over cells) or keys (arrows move, Space changes, Shift with arrows paints). */
import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from 'react';
import type { MinuteRange } from '../../../shared/model/recording-mode.ts';
import { type Cell, CELLS, dayWords, paint, shareOf } from './week-painting.ts';

export interface WeekGridProps {
  readonly days: readonly (readonly MinuteRange[])[];
  /** A stroke is over. */
  readonly onChange: (days: readonly (readonly MinuteRange[])[]) => void;
}

interface Stroke {
  readonly from: Cell;
  readonly to: Cell;
  readonly on: boolean;
}

/** A Monday; its week gives the days their names in the reader's language. */
const MONDAY_MS = Date.UTC(2026, 0, 5, 12);
const dayName = (day: number, weekday: 'short' | 'long'): string => new Intl.DateTimeFormat(undefined, { weekday, timeZone: 'UTC' }).format(MONDAY_MS + day * 86_400_000);
const STEPS: Readonly<Record<string, readonly [number, number]>> = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -CELLS], End: [0, CELLS] };

export function WeekGrid({ days, onChange }: WeekGridProps): ReactNode {
  const [stroke, setStroke] = useState<Stroke | null>(null);
  const [focus, setFocus] = useState<Cell>({ day: 0, hour: 0 });
  const grid = useRef<HTMLDivElement>(null);
  const shown = stroke === null ? days : paint(days, stroke.from, stroke.to, stroke.on);

  const cellAt = (event: PointerEvent): Cell | null => {
    const cell = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>('[data-hour]') ?? null;
    return cell === null || grid.current?.contains(cell) !== true ? null : { day: Number(cell.dataset['day']), hour: Number(cell.dataset['hour']) };
  };
  const onPointerDown = (event: PointerEvent): void => {
    const cell = cellAt(event);
    if (cell === null || event.button !== 0) return;
    event.preventDefault();
    grid.current?.setPointerCapture(event.pointerId);
    setFocus(cell);
    setStroke({ from: cell, to: cell, on: shareOf(days, cell) < 1 });
  };
  const onPointerMove = (event: PointerEvent): void => {
    const cell = stroke === null ? null : cellAt(event);
    if (stroke !== null && cell !== null && (cell.day !== stroke.to.day || cell.hour !== stroke.to.hour)) setStroke({ ...stroke, to: cell });
  };
  const finish = (): void => {
    if (stroke !== null) onChange(shown);
    setStroke(null);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (event.key === ' ' || event.key === 'Enter') {
      event.preventDefault();
      onChange(paint(days, focus, focus, shareOf(days, focus) < 1));
    } else if (step !== undefined) {
      event.preventDefault();
      const next = { day: Math.min(6, Math.max(0, focus.day + step[0])), hour: Math.min(CELLS - 1, Math.max(0, focus.hour + step[1])) };
      if (event.shiftKey) onChange(paint(days, focus, next, shareOf(days, focus) >= 1));
      setFocus(next);
      grid.current?.querySelector<HTMLElement>(`[data-day="${next.day}"][data-hour="${next.hour}"]`)?.focus();
    }
  };
  return (
    <div className="week">
      <div className="week-hours" aria-hidden="true">
        {[0, 6, 12, 18, 24].map((hour) => (
          <span key={hour} style={{ left: `${(hour / CELLS) * 100}%` }}>
            {hour}
          </span>
        ))}
      </div>
      <div ref={grid} className="week-grid" role="grid" tabIndex={-1} aria-label="Hours in which this camera is recorded" onPointerDown={onPointerDown} onPointerMove={onPointerMove} onPointerUp={finish} onPointerCancel={() => setStroke(null)} onKeyDown={onKeyDown}>
        {shown.map((ranges, day) => (
          <div className="week-day" role="row" key={dayName(day, 'long')} aria-label={`${dayName(day, 'long')}: ${dayWords(ranges)}`}>
            <span className="week-name" role="rowheader">
              {dayName(day, 'short')}
            </span>
            {Array.from({ length: CELLS }, (_unused, hour) => {
              const share = shareOf(shown, { day, hour });
              return (
                <button
                  key={hour}
                  type="button"
                  role="gridcell"
                  className="week-cell"
                  data-day={day}
                  data-hour={hour}
                  data-share={share === 0 ? 'none' : share < 1 ? 'some' : 'all'}
                  aria-selected={share > 0}
                  aria-label={`${dayName(day, 'long')} ${hour}:00 to ${hour + 1}:00, ${share === 0 ? 'not recorded' : share < 1 ? 'partly recorded' : 'recorded'}`}
                  tabIndex={focus.day === day && focus.hour === hour ? 0 : -1}
                  onFocus={() => setFocus({ day, hour })}
                />
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}
