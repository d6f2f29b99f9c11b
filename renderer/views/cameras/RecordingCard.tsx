/** When a camera is recorded: always or around events, in which hours, and pauses. */
import { ToggleGroup } from 'radix-ui';
import { type ReactNode, useEffect, useState } from 'react';
import type { CameraWithStatus } from '../../../shared/contract/engine-api.ts';
import { recordingModeOf } from '../../../shared/model/camera.ts';
import type { MinuteRange, RecordingKind, WeekSchedule } from '../../../shared/model/recording-mode.ts';
import { DAY_MS, type EpochMs, HOUR_MS } from '../../../shared/time.ts';
import { useCommand, useQuery } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { ErrorLine } from '../../components/Field.tsx';
import { formatDuration, formatMoment, formatTime, localDayStart } from '../../components/format.ts';
import { Setting, SwitchSetting } from '../../components/Setting.tsx';
import { useNow } from '../../state/use-now.ts';
import { everyDay } from './week-painting.ts';
import { WeekGrid } from './WeekGrid.tsx';
import './recording.css';

const PRE_ROLLS_S = [0, 5, 10, 20, 30, 60];
const POST_ROLLS_S = [0, 10, 30, 60, 120, 300, 600];
/** What a stream may hold in memory before an event (docs/design/recording.md). */
const MEMORY_BITS = 64 * 1024 * 1024 * 8;
/** "Until tomorrow" is until somebody is up. */
const MORNING_MS = 6 * HOUR_MS;

export function RecordingCard({ entry }: { readonly entry: CameraWithStatus }): ReactNode {
  const { camera, status } = entry;
  const mode = recordingModeOf(camera);
  const set = useCommand('cameras.setRecording');
  const update = useCommand('cameras.update');
  const info = useQuery('app.info', {});
  const change = (patch: { readonly kind?: RecordingKind; readonly preRollMs?: number; readonly postRollMs?: number; readonly schedule?: Editable | null }): void => void set.run({ cameraId: camera.id, ...patch });
  const timeZone = mode.schedule?.timeZone ?? info.data?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const hasSub = camera.streams.some(({ kind }) => kind === 'sub');
  const hasSound = camera.streams.some(({ audioCodec }) => audioCodec !== null);
  const error = set.error ?? update.error;
  const bitsPerSecond = status.streams.find(({ kind }) => kind === 'main')?.bitsPerSecond ?? 0;
  const fitsMs = bitsPerSecond === 0 ? Infinity : (MEMORY_BITS / bitsPerSecond) * 1_000;
  return (
    <section className="card recording-card">
      <h2>Recording</h2>
      <Setting title="What is kept" about={mode.kind === 'continuous' ? 'Every moment, from the full picture.' : 'What lies around events. Live pictures are always there. For now an event is “Record now” on the Watch screen.'}>
        <ToggleGroup.Root className="choices" type="single" aria-label="What is kept" value={mode.kind} onValueChange={(kind) => kind !== '' && change({ kind: kind as RecordingKind })}>
          <ToggleGroup.Item value="continuous">Always</ToggleGroup.Item>
          <ToggleGroup.Item value="events">When something happens</ToggleGroup.Item>
        </ToggleGroup.Root>
      </Setting>
      {mode.kind === 'events' ? (
        <Setting title="How much around it" about={fitsMs < mode.preRollMs ? `This camera’s picture is so fine that about ${formatDuration(fitsMs)} before an event fit in memory.` : 'What comes before is held in memory until something happens.'}>
          <div className="around">
            <Length label="Before" options={PRE_ROLLS_S} valueMs={mode.preRollMs} onChange={(preRollMs) => change({ preRollMs })} />
            <Length label="After" options={POST_ROLLS_S} valueMs={mode.postRollMs} onChange={(postRollMs) => change({ postRollMs })} />
          </div>
        </Setting>
      ) : null}
      <SwitchSetting
        title="Only at some hours"
        about={mode.schedule === null ? 'It is recorded at all hours.' : `${nowWords(entry)}Paint the hours you want; outside them nothing is recorded, and live pictures go on.`}
        checked={mode.schedule !== null}
        onChange={(on) => change({ schedule: on ? { timeZone, days: editable(everyDay(0, 1_440)) } : null })}
      />
      {mode.schedule === null ? null : <Hours schedule={mode.schedule} failed={set.error !== null} onChange={(days) => change({ schedule: { timeZone, days: editable(days) } })} />}
      <Pause entry={entry} />
      <SwitchSetting
        title="Record sound"
        about={hasSound ? 'Sound from the camera’s microphone is kept with the picture.' : 'This camera sends no sound.'}
        checked={camera.recordSound && hasSound}
        disabled={!hasSound || update.busy}
        onChange={(recordSound) => void update.run({ cameraId: camera.id, recordSound })}
      />
      <SwitchSetting
        title="Record the small picture too"
        about={hasSub ? 'For slow lines later; adds little to the disk.' : 'This camera has no small picture.'}
        checked={camera.recorded.includes('sub')}
        disabled={!hasSub || update.busy}
        onChange={(on) => void update.run({ cameraId: camera.id, recorded: on ? ['main', 'sub'] : ['main'] })}
      />
      {error === null ? null : <ErrorLine>{error.message}</ErrorLine>}
    </section>
  );
}

interface Editable {
  timeZone: string;
  days: { startMinute: number; endMinute: number }[][];
}

function editable(days: WeekSchedule['days']): Editable['days'] {
  return days.map((ranges) => ranges.map(({ startMinute, endMinute }) => ({ startMinute, endMinute })));
}

function nowWords({ status: { keeping } }: CameraWithStatus): string {
  if (keeping?.kind !== 'not-scheduled') return '';
  return keeping.untilMs === null ? 'Now it is not recorded. ' : `Now it is not recorded; again from ${formatMoment(keeping.untilMs, Date.now())}. `;
}

function Length({ label, options, valueMs, onChange }: { readonly label: string; readonly options: readonly number[]; readonly valueMs: number; readonly onChange: (valueMs: number) => void }): ReactNode {
  const seconds = valueMs / 1_000;
  const all = options.includes(seconds) ? options : [...options, seconds].sort((a, b) => a - b);
  return (
    <label className="length">
      <span className="muted">{label}</span>
      <select className="input" value={seconds} onChange={(event) => onChange(Number(event.target.value) * 1_000)}>
        {all.map((each) => (
          <option key={each} value={each}>
            {each === 0 ? 'nothing' : formatDuration(each * 1_000)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What is painted shows at once, and stays until the engine says the same: its word on an earlier stroke comes in between. `failed`: it will not. */
function Hours({ schedule, failed, onChange }: { readonly schedule: WeekSchedule; readonly failed: boolean; readonly onChange: (days: readonly (readonly MinuteRange[])[]) => void }): ReactNode {
  const [draft, setDraft] = useState<readonly (readonly MinuteRange[])[] | null>(null);
  useEffect(() => {
    if (draft !== null && (failed || JSON.stringify(draft) === JSON.stringify(schedule.days))) setDraft(null);
  }, [draft, failed, schedule]);
  const days = draft ?? schedule.days;
  const change = (next: readonly (readonly MinuteRange[])[]): void => {
    setDraft(next);
    onChange(next);
  };
  const elsewhere = schedule.timeZone !== Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <div className="hours">
      <WeekGrid days={days} onChange={change} />
      <div className="hours-presets">
        <Button tone="quiet" onClick={() => change(everyDay(0, 1_440))}>
          All hours
        </Button>
        <Button tone="quiet" onClick={() => change(everyDay(20 * 60, 7 * 60))}>
          Nights
        </Button>
        <Button tone="quiet" onClick={() => change(days.map(() => []))}>
          None
        </Button>
        {elsewhere ? <span className="muted">By the clock of {schedule.timeZone.replaceAll('_', ' ')}.</span> : null}
      </div>
    </div>
  );
}

function Pause({ entry: { camera } }: { readonly entry: CameraWithStatus }): ReactNode {
  const pause = useCommand('cameras.pause');
  const resume = useCommand('cameras.resume');
  const nowMs = useNow(30_000);
  const error = pause.error ?? resume.error;
  const run = (untilMs: EpochMs | null): void => void pause.run({ cameraId: camera.id, untilMs });
  const tomorrowMs = localDayStart(localDayStart(nowMs) + 1.5 * DAY_MS) + MORNING_MS;
  const paused = camera.paused;
  return (
    <>
      <Setting
        title={paused === null ? 'Pause' : paused.untilMs === null ? 'Paused until you resume' : `Paused until ${formatMoment(paused.untilMs, nowMs)}`}
        about={paused === null ? 'Porchlight leaves the camera alone: no connection, no live picture.' : 'Porchlight is not connected to the camera.'}
      >
        <div className="pauses">
          {paused === null ? (
            <>
              <Button disabled={pause.busy} onClick={() => run(Date.now() + HOUR_MS)}>
                For 1 hour
              </Button>
              <Button disabled={pause.busy} onClick={() => run(tomorrowMs)}>
                Until tomorrow, {formatTime(tomorrowMs)}
              </Button>
              <Button disabled={pause.busy} onClick={() => run(null)}>
                Until I resume
              </Button>
            </>
          ) : (
            <Button tone="primary" disabled={resume.busy} onClick={() => void resume.run({ cameraId: camera.id })}>
              Resume now
            </Button>
          )}
        </div>
      </Setting>
      {error === null ? null : <ErrorLine>{error.message}</ErrorLine>}
    </>
  );
}
