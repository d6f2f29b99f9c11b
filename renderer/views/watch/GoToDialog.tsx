/** A typed date and time. */
import { type ReactNode, type SubmitEvent, useEffect, useState } from 'react';
import type { EpochMs } from '../../../shared/time.ts';
import { Button } from '../../components/Button.tsx';
import { Dialog } from '../../components/Dialog.tsx';
import { Field } from '../../components/Field.tsx';

export interface GoToDialogProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly atMs: EpochMs;
  readonly nowMs: EpochMs;
  readonly onGo: (atMs: EpochMs) => void;
}

/** Local date and time as the browser's own pickers write them. */
export function toInputs(atMs: EpochMs): { readonly date: string; readonly time: string } {
  const date = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  return {
    date: `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    time: `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
  };
}

/** The moment two inputs name in local time; null when they name none. */
export function fromInputs(date: string, time: string): EpochMs | null {
  const atMs = new Date(`${date}T${time === '' ? '00:00' : time}`).getTime();
  return Number.isFinite(atMs) ? atMs : null;
}

export function GoToDialog({ open, onOpenChange, atMs, nowMs, onGo }: GoToDialogProps): ReactNode {
  const [date, setDate] = useState('');
  const [time, setTime] = useState('');
  useEffect(() => {
    if (!open) return;
    const inputs = toInputs(atMs);
    setDate(inputs.date);
    setTime(inputs.time);
    // What is shown when it opens is the start; it does not follow the running clock.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [open]);
  const wanted = fromInputs(date, time);
  const future = wanted !== null && wanted > nowMs;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (wanted === null) return;
    onGo(wanted);
    onOpenChange(false);
  };
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Go to a moment">
      <form className="go-to" onSubmit={submit}>
        <div className="go-to-fields">
          <Field label="Date" type="date" value={date} max={toInputs(nowMs).date} required onChange={(event) => setDate(event.target.value)} />
          <Field label="Time" type="time" step={1} value={time} onChange={(event) => setTime(event.target.value)} />
        </div>
        <p className="muted">{future ? 'That is still to come: it leads to live.' : 'In your local time.'}</p>
        <Button type="submit" tone="primary" disabled={wanted === null}>
          Go
        </Button>
      </form>
    </Dialog>
  );
}
