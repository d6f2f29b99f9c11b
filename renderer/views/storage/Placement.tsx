/** Several disks: how footage is placed on them, what is moving, and disks that are not here. */
import { ArrowRight, Unplug } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { AbsentDisk, MoveProgress, PlacementMode, PlacementState } from '../../../shared/model/placement.ts';
import type { RootSummary } from '../../../shared/model/storage.ts';
import { MINUTE_MS } from '../../../shared/time.ts';
import { useCommand, useEngineEvent, useQuery } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { ErrorLine, Field } from '../../components/Field.tsx';
import { formatBytes, formatMoment } from '../../components/format.ts';
import { useNow } from '../../state/use-now.ts';
import './placement.css';

export interface PlacementQuery {
  readonly data: PlacementState | null;
  readonly refresh: () => void;
}

/** How footage is placed, kept up to date. */
export function usePlacement(): PlacementQuery {
  const { data, refresh } = useQuery('storage.placement', {});
  const [told, setTold] = useState<PlacementState | null>(null);
  useEngineEvent('placement.changed', setTold);
  useEngineEvent('storage.changed', () => {
    setTold(null);
    refresh();
  });
  return { data: told ?? data, refresh: () => (setTold(null), refresh()) };
}

const MODES: readonly (readonly [mode: PlacementMode, title: string, hint: string])[] = [
  ['tiers', 'One after the other', 'New footage goes to the first disk. When that is as full as its rules allow, its oldest footage moves on to the next one.'],
  ['spread', 'Cameras side by side', 'Each camera has a disk of its own and stays on it, so that all disks work at the same time.'],
];

interface PlacementProps {
  readonly placement: PlacementState;
  readonly roots: readonly RootSummary[];
  readonly onChanged: () => void;
}

export function Placement({ placement, roots, onChanged }: PlacementProps): ReactNode {
  const choose = useCommand('storage.setPlacement');
  const save = async (mode: PlacementMode, moveAfterDays: number | null): Promise<void> => {
    if ((await choose.run({ mode, moveAfterDays })) !== null) onChanged();
  };
  if (roots.length < 2) return null;
  return (
    <div className="placement">
      <fieldset disabled={choose.busy}>
        <legend>How the disks are used</legend>
        {MODES.map(([mode, title, hint]) => (
          <label key={mode}>
            <input type="radio" name="placement" checked={placement.mode === mode} onChange={() => void save(mode, placement.moveAfterDays)} />
            <strong>{title}</strong>
            <span className="muted">{hint}</span>
          </label>
        ))}
      </fieldset>
      {placement.mode === 'tiers' ? <MoveAfter key={placement.moveAfterDays} days={placement.moveAfterDays} onSave={(days) => void save('tiers', days)} /> : null}
      {placement.moves.map((move) => (
        <Moving key={move.fromRootId} move={move} roots={roots} />
      ))}
      {choose.error === null ? null : <ErrorLine>{choose.error.message}</ErrorLine>}
    </div>
  );
}

function MoveAfter({ days, onSave }: { readonly days: number | null; readonly onSave: (days: number | null) => void }): ReactNode {
  const [text, setText] = useState(days === null ? '' : String(days));
  const value = text.trim() === '' ? null : Number(text);
  const isWrong = value !== null && !(value > 0 && value <= 36_500);
  return (
    <form
      className="move-after"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isWrong) onSave(value);
      }}
    >
      <Field label="Move on after (days)" inputMode="decimal" placeholder="only when room is needed" value={text} onChange={(event) => setText(event.target.value)} />
      {value === days ? null : (
        <Button type="submit" disabled={isWrong}>
          Save
        </Button>
      )}
    </form>
  );
}

function Moving({ move: { fromRootId, toRootId, leftBytes, bytesPerSecond, problem }, roots }: { readonly move: MoveProgress; readonly roots: readonly RootSummary[] }): ReactNode {
  const pathOf = (rootId: string): string => roots.find((root) => root.rootId === rootId)?.path ?? 'another disk';
  return (
    <div className="moving" role="status">
      <ArrowRight size={18} aria-hidden="true" />
      <div>
        <strong className="numbers">{formatBytes(leftBytes)} still to move</strong>
        <p className="muted numbers">
          From <span className="path">{pathOf(fromRootId)}</span> to <span className="path">{pathOf(toRootId)}</span>
          {bytesPerSecond === null ? '' : ` · ${formatBytes(bytesPerSecond)} a second`}
        </p>
        {problem === null ? null : <p className="muted">{problem}</p>}
      </div>
    </div>
  );
}

/** One disk with footage that is not here. A disk that is still in use has its own row; this says what is missed. */
export function Absent({ disk: { path, sinceMs, usedBytes, oldestMs, removed }, onChanged }: { readonly disk: AbsentDisk; readonly onChanged: () => void }): ReactNode {
  const nowMs = useNow(MINUTE_MS);
  const add = useCommand('storage.addRoot');
  const back = async (): Promise<void> => {
    if (path !== null && (await add.run({ path })) !== null) onChanged();
  };
  return (
    <div className="disk absent">
      <Unplug size={20} strokeWidth={1.6} aria-hidden="true" />
      <div>
        <strong className="path">{path ?? 'A disk this computer has not seen'}</strong>
        <p className="muted numbers">
          {removed ? 'Not in use' : 'Not here'}
          {sinceMs === null ? '' : ` since ${formatMoment(sinceMs, nowMs)}`} · {formatBytes(usedBytes)} of footage on it
          {oldestMs === null ? '' : `, from ${formatMoment(oldestMs, nowMs)} on`}
        </p>
        <p className="muted">{removed ? 'Its footage stays on the timeline, hatched, until you use the disk again.' : 'Its footage stays on the timeline, hatched. Connect the disk and it plays again; if it is in another place now, add that folder.'}</p>
        {add.error === null ? null : <ErrorLine>{add.error.message}</ErrorLine>}
      </div>
      {removed && path !== null ? (
        <div className="disk-actions">
          <Button disabled={add.busy} onClick={() => void back()}>
            Use again
          </Button>
        </div>
      ) : null}
    </div>
  );
}
