/** What moves time: play, steps, days, speed, a date, and back to live. */
import { ArrowLeft, CalendarClock, ChevronLeft, ChevronRight, Gauge, LayoutGrid, Maximize, Pause, Play, RotateCcw, RotateCw, ZoomIn, ZoomOut } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import type { ReactNode } from 'react';
import type { TimeRange } from '../../../shared/time.ts';
import { Button, IconButton } from '../../components/Button.tsx';
import { addLocalDays, formatClock, formatDay } from '../../components/format.ts';
import { pan, zoom } from './time-window.ts';
import { type Moment, RATES } from './use-moment.ts';

export interface ControlsProps {
  readonly moment: Moment;
  readonly opened: boolean;
  readonly window: TimeRange;
  readonly onWindow: (window: TimeRange) => void;
  readonly onBack: () => void;
  readonly onFullScreen: () => void;
  readonly onDialog: (dialog: 'go-to' | 'sheet') => void;
  /** Whether there is a camera whose hour can be shown at a glance. */
  readonly hasSheet: boolean;
  /** The button that keeps a moment. */
  readonly keep: ReactNode;
}

export function Controls({ moment, opened, window, onWindow, onBack, onFullScreen, onDialog, hasSheet, keep }: ControlsProps): ReactNode {
  const { atMs, nowMs, live, playing, rate } = moment;
  const zoomBy = (factor: number): void => onWindow(pan(zoom(window, factor, atMs), 0, nowMs));
  return (
    <div className="controls">
      {opened ? (
        <IconButton label="All cameras" shortcut="Esc" className="back" onClick={onBack}>
          <ArrowLeft size={19} />
        </IconButton>
      ) : null}
      <div className="controls-play">
        <IconButton label="Previous day" shortcut="[" className="wide-only" onClick={() => moment.goTo(addLocalDays(atMs, -1))}>
          <ChevronLeft size={19} />
        </IconButton>
        <IconButton label="10 seconds back" shortcut="←" onClick={() => moment.step(-10_000)}>
          <RotateCcw size={18} />
        </IconButton>
        <IconButton label={playing ? 'Pause' : 'Play'} shortcut="Space" tone="primary" className="play" onClick={moment.togglePlay}>
          {playing ? <Pause size={18} fill="currentColor" /> : <Play size={18} fill="currentColor" />}
        </IconButton>
        <IconButton label="10 seconds on" shortcut="→" disabled={live} onClick={() => moment.step(10_000)}>
          <RotateCw size={18} />
        </IconButton>
        <IconButton label="Next day" shortcut="]" className="wide-only" disabled={live} onClick={() => moment.goTo(addLocalDays(atMs, 1))}>
          <ChevronRight size={19} />
        </IconButton>
      </div>
      <button type="button" className="clock" onClick={() => onDialog('go-to')} aria-label="Go to a date and time">
        <strong className="numbers">{formatClock(atMs)}</strong>
        <span>{formatDay(atMs)}</span>
      </button>
      <span className="spring" />
      <Speed rate={rate} disabled={live} onRate={moment.setRate} />
      <IconButton label="Go to a date and time" shortcut="G" className="wide-only" onClick={() => onDialog('go-to')}>
        <CalendarClock size={18} />
      </IconButton>
      {keep}
      <IconButton label="Contact sheet of this hour" shortcut="C" disabled={!hasSheet} onClick={() => onDialog('sheet')}>
        <LayoutGrid size={18} />
      </IconButton>
      <IconButton label="Wider" shortcut="−" className="wide-only" onClick={() => zoomBy(2)}>
        <ZoomOut size={18} />
      </IconButton>
      <IconButton label="Closer" shortcut="+" className="wide-only" onClick={() => zoomBy(0.5)}>
        <ZoomIn size={18} />
      </IconButton>
      <IconButton label="Full screen" shortcut="F" className="wide-only" onClick={onFullScreen}>
        <Maximize size={18} />
      </IconButton>
      <Button className="live" data-live={live} aria-pressed={live} onClick={moment.goLive}>
        <span className="live-dot" aria-hidden="true" />
        Live
      </Button>
    </div>
  );
}

function Speed({ rate, disabled, onRate }: { readonly rate: number; readonly disabled: boolean; readonly onRate: (rate: number) => void }): ReactNode {
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>
        <Button tone="quiet" className="speed numbers" disabled={disabled} aria-label={`Speed ${rate} times`}>
          <Gauge size={17} />
          {rate}×
        </Button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" sideOffset={6} align="end">
          <DropdownMenu.RadioGroup value={String(rate)} onValueChange={(value) => onRate(Number(value))}>
            {RATES.map((each) => (
              <DropdownMenu.RadioItem key={each} value={String(each)}>
                {each === 1 ? 'Normal speed' : `${each}×`}
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
