/** Keeps a moment for good: a small menu, and an undo. */
import { Lock } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { type ReactNode, useCallback, useRef } from 'react';
import type { Camera } from '../../../shared/model/camera.ts';
import { DAY_MS, type EpochMs, MINUTE_MS, type TimeRange } from '../../../shared/time.ts';
import { asError, useEngine } from '../../api/engine-context.tsx';
import { IconButton } from '../../components/Button.tsx';
import { formatClock, formatMoment, formatTime } from '../../components/format.ts';
import { Kbd } from '../../components/Kbd.tsx';
import { useToast } from '../../components/Toasts.tsx';

export interface KeepProps {
  /** Those whose pictures are shown. */
  readonly cameras: readonly Camera[];
  readonly atMs: EpochMs;
  readonly nowMs: EpochMs;
  readonly window: TimeRange;
  readonly keep: (range: TimeRange) => void;
  /** A range is chosen on the timeline. */
  readonly onChoose: () => void;
}

/** Longer is no moment any more, and the engine refuses it. */
const LONGEST_MS = 31 * DAY_MS;

/** A minute on either side of a moment. */
export function minuteAround(atMs: EpochMs): TimeRange {
  return { startMs: atMs - MINUTE_MS, endMs: atMs + MINUTE_MS };
}

/** Keeps a range of these cameras (or of others), says so, and takes it back on "Undo". */
export function useKeep(shown: readonly Camera[], nowMs: EpochMs): (range: TimeRange, note?: string, of?: readonly Camera[]) => void {
  const engine = useEngine();
  const toast = useToast();
  return useCallback(
    (range, note = '', cameras = shown) => {
      const run = async (): Promise<void> => {
        const locks = await Promise.all(cameras.map(({ id }) => engine.ask('locks.add', { cameraId: id, startMs: Math.max(0, range.startMs), endMs: range.endMs, note })));
        const [first] = locks;
        if (first === undefined) return;
        const undo = (): void => void Promise.all(locks.map(({ id }) => engine.ask('locks.remove', { id }))).catch((error: unknown) => toast(asError(error).message));
        const told = locks.every(({ sentence }) => sentence === first.sentence) ? first.sentence : null;
        toast(`Kept for good: ${namesOf(cameras)}, ${formatMoment(first.startMs, nowMs)} – ${formatTime(first.endMs)}.${told === null ? '' : ` ${told}`}`, undo);
      };
      run().catch((error: unknown) => toast(asError(error).message));
    },
    [engine, toast, shown, nowMs],
  );
}

export function Keep({ cameras, atMs, nowMs, window, keep, onChoose }: KeepProps): ReactNode {
  const chosen = useRef(false);
  /** The focus goes to the range and not back to the button. */
  const onClosed = (event: Event): void => {
    if (!chosen.current) return;
    chosen.current = false;
    event.preventDefault();
    onChoose();
  };
  const shown = { startMs: window.startMs, endMs: Math.min(window.endMs, nowMs) };
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>
        <IconButton label="Keep this" shortcut="P" className="keep" disabled={cameras.length === 0}>
          <Lock size={18} />
        </IconButton>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" sideOffset={6} align="end" collisionPadding={8} onCloseAutoFocus={onClosed}>
          <DropdownMenu.Label className="keep-label">Keep for good, of {namesOf(cameras)}</DropdownMenu.Label>
          <DropdownMenu.Item onSelect={() => keep(minuteAround(atMs))}>A minute before and after {formatClock(atMs)}</DropdownMenu.Item>
          <DropdownMenu.Item onSelect={() => keep({ startMs: atMs - 10 * MINUTE_MS, endMs: atMs + 10 * MINUTE_MS })}>Ten minutes before and after</DropdownMenu.Item>
          {shown.endMs > shown.startMs && shown.endMs - shown.startMs <= LONGEST_MS ? (
            <DropdownMenu.Item onSelect={() => keep(shown)}>
              All the timeline shows, {formatMoment(shown.startMs, nowMs)} – {formatMoment(shown.endMs, nowMs)}
            </DropdownMenu.Item>
          ) : null}
          <DropdownMenu.Item onSelect={() => (chosen.current = true)}>
            Choose a range on the timeline
            <Kbd>R</Kbd>
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function namesOf(cameras: readonly Camera[]): string {
  const [first] = cameras;
  return cameras.length === 1 && first !== undefined ? first.name : `all ${cameras.length} cameras shown`;
}
