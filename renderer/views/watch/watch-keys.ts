/** The keys of the Watch screen; components/ShortcutsDialog.tsx lists them. */
import { useEffect, useRef } from 'react';
import type { CameraId } from '../../../shared/model/ids.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS, type TimeRange } from '../../../shared/time.ts';
import { addLocalDays } from '../../components/format.ts';
import { pan, zoom } from './time-window.ts';
import { type Moment, RATES } from './use-moment.ts';

export interface WatchKeysOptions {
  readonly moment: Moment;
  readonly window: TimeRange;
  readonly onWindow: (window: TimeRange) => void;
  readonly ids: readonly CameraId[];
  readonly opened: CameraId | null;
  readonly onOpened: (cameraId: CameraId | null) => void;
  readonly onSound: (cameraId: CameraId) => void;
  readonly onFullScreen: () => void;
  readonly onDialog: (dialog: 'go-to' | 'sheet') => void;
  /** Keeps the moment for good; null where that is not this window's to do. */
  readonly onKeep: (() => void) | null;
  /** Begins a range to be kept; null as before. */
  readonly onChooseRange: (() => void) | null;
}

/** What a key does, or null for keys that do nothing here. */
export function actionFor(event: Pick<KeyboardEvent, 'key' | 'shiftKey'>, options: WatchKeysOptions): (() => void) | null {
  const { moment, window, ids, opened } = options;
  const zoomBy = (factor: number) => () => options.onWindow(pan(zoom(window, factor, moment.atMs), 0, moment.nowMs));
  const stepRate = (by: number) => () => moment.setRate(RATES[Math.min(RATES.length - 1, Math.max(0, RATES.findIndex((rate) => rate === moment.rate) + by))] ?? 1);
  const digit = /^[1-9]$/.test(event.key) ? ids[Number(event.key) - 1] : undefined;
  if (digit !== undefined) return () => options.onOpened(digit === opened ? null : digit);
  switch (event.key.length === 1 ? event.key.toLowerCase() : event.key) {
    case ' ':
      return moment.togglePlay;
    case 'ArrowLeft':
      return () => moment.step(event.shiftKey ? -MINUTE_MS : -10 * SECOND_MS);
    case 'ArrowRight':
      return () => moment.step(event.shiftKey ? MINUTE_MS : 10 * SECOND_MS);
    case 'PageUp':
      return () => moment.step(-HOUR_MS);
    case 'PageDown':
      return () => moment.step(HOUR_MS);
    case '[':
      return () => moment.goTo(addLocalDays(moment.atMs, -1));
    case ']':
      return () => moment.goTo(addLocalDays(moment.atMs, 1));
    case ',':
      return () => moment.stepPicture(-1);
    case '.':
      return () => moment.stepPicture(1);
    case 'j':
      return stepRate(-1);
    case 'k':
      return moment.togglePlay;
    case 'l':
      return stepRate(1);
    case 'End':
      return moment.goLive;
    case 'g':
      return () => options.onDialog('go-to');
    case 'c':
      return () => options.onDialog('sheet');
    case 'p':
      return options.onKeep;
    case 'r':
      return options.onChooseRange;
    case 'f':
      return options.onFullScreen;
    case 'm': {
      const camera = opened ?? (ids.length === 1 ? ids[0] : undefined);
      return camera === undefined ? null : () => options.onSound(camera);
    }
    case 'Escape':
      return opened === null ? null : () => options.onOpened(null);
    case '+':
    case '=':
      return zoomBy(0.5);
    case '-':
      return zoomBy(2);
    default:
      return null;
  }
}

export function useWatchKeys(options: WatchKeysOptions): void {
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || belongsElsewhere(event)) return;
      const action = actionFor(event, latest.current);
      if (action === null) return;
      event.preventDefault();
      action();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}

/** Typing, dialogs and menus keep their keys; a focused button keeps Space. */
function belongsElsewhere({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('[role="dialog"], [role="menu"], input, textarea, select') !== null) return true;
  return key === ' ' && target.closest('button, a, [role="switch"]') !== null;
}
