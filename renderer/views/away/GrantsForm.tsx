/** Chooses cameras by their pictures, what may be done with them, and for how long. */
import { Check } from 'lucide-react';
import { Checkbox } from 'radix-ui';
import { type ReactNode, useId } from 'react';
import type { CameraId } from '../../../shared/model/ids.ts';
import { RIGHTS, type Right } from '../../../shared/model/remote.ts';
import { MINUTE_MS } from '../../../shared/time.ts';
import { Button } from '../../components/Button.tsx';
import { PreviewImage } from '../../components/PreviewImage.tsx';
import { useCameras } from '../../state/cameras.tsx';
import { useNow } from '../../state/use-now.ts';
import { RIGHT_WORDS } from './device-words.ts';
import { dayText, extentOf, type GrantsDraft, toggleCamera, toggleRight, toggleRightOf } from './grants-form.ts';

export interface GrantsFormProps {
  readonly draft: GrantsDraft;
  readonly onChange: (draft: GrantsDraft) => void;
}

interface Choice {
  readonly id: CameraId;
  readonly name: string;
  readonly isHere: boolean;
}

export function GrantsForm({ draft, onChange }: GrantsFormProps): ReactNode {
  const cameras = useChoices(draft);
  const chosen = cameras.filter(({ id }) => draft.byCamera[id] !== undefined);
  return (
    <div className="grants">
      <fieldset>
        <legend>Which cameras</legend>
        <div className="grant-cameras">
          {cameras.map((camera) => (
            <CameraChoice key={camera.id} camera={camera} checked={draft.byCamera[camera.id] !== undefined} onToggle={() => onChange(toggleCamera(draft, camera.id))} />
          ))}
        </div>
        <p className="muted small">Cameras that you add later are not among them until you choose them.</p>
      </fieldset>
      <fieldset>
        <legend>What it may see and do</legend>
        <div className="grant-rights">
          {RIGHTS.map((right) => (
            <RightChoice key={right} right={right} extent={extentOf(draft, right)} onToggle={() => onChange(toggleRight(draft, right))} />
          ))}
        </div>
      </fieldset>
      {chosen.length < 2 ? null : <EachCamera cameras={chosen} draft={draft} onChange={onChange} />}
      <LastDay draft={draft} onChange={onChange} />
    </div>
  );
}

/** The home's cameras, and those that were granted and are gone from the list. */
function useChoices(draft: GrantsDraft): readonly Choice[] {
  const here = (useCameras() ?? []).map(({ camera: { id, name } }): Choice => ({ id, name, isHere: true }));
  const gone = Object.keys(draft.byCamera).filter((id) => here.every((camera) => camera.id !== id));
  return [...here, ...gone.map((id): Choice => ({ id: id as CameraId, name: 'A removed camera', isHere: false }))];
}

function CameraChoice({ camera: { id, name, isHere }, checked, onToggle }: { readonly camera: Choice; readonly checked: boolean; readonly onToggle: () => void }): ReactNode {
  const labelId = useId();
  return (
    <label className="grant-camera" data-chosen={checked}>
      {isHere ? <PreviewImage cameraId={id} dimmed={!checked} /> : <div className="picture" />}
      <Box checked={checked} onToggle={onToggle} labelledBy={labelId} />
      <span id={labelId}>{name}</span>
    </label>
  );
}

function Box({ id, checked, onToggle, labelledBy }: { readonly id?: string; readonly checked: boolean | 'indeterminate'; readonly onToggle: () => void; readonly labelledBy: string }): ReactNode {
  return (
    <Checkbox.Root id={id} className="box" checked={checked} onCheckedChange={onToggle} aria-labelledby={labelledBy}>
      <Checkbox.Indicator forceMount>{checked === true ? <Check size={15} strokeWidth={3} aria-hidden="true" /> : checked === 'indeterminate' ? <i aria-hidden="true" /> : null}</Checkbox.Indicator>
    </Checkbox.Root>
  );
}

function RightChoice({ right, extent, onToggle }: { readonly right: Right; readonly extent: 'all' | 'some' | 'none'; readonly onToggle: () => void }): ReactNode {
  const labelId = useId();
  const { title, about } = RIGHT_WORDS[right];
  return (
    <div className="grant-right">
      <Box id={`${labelId}-box`} checked={extent === 'some' ? 'indeterminate' : extent === 'all'} onToggle={onToggle} labelledBy={labelId} />
      <label htmlFor={`${labelId}-box`}>
        <span id={labelId}>{title}</span>
        <span className="muted small">{about}</span>
      </label>
    </div>
  );
}

function EachCamera({ cameras, draft, onChange }: GrantsFormProps & { readonly cameras: readonly Choice[] }): ReactNode {
  return (
    <details className="more">
      <summary>Different for each camera</summary>
      <div className="grant-scroll">
        <table className="grant-table">
          <thead>
            <tr>
              <th scope="col">Camera</th>
              {RIGHTS.map((right) => (
                <th key={right} scope="col">
                  {RIGHT_WORDS[right].title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {cameras.map(({ id, name }) => (
              <tr key={id}>
                <th scope="row">{name}</th>
                {RIGHTS.map((right) => (
                  <td key={right}>
                    <input type="checkbox" aria-label={`${name}: ${RIGHT_WORDS[right].title}`} checked={draft.byCamera[id]?.includes(right) ?? false} onChange={() => onChange(toggleRightOf(draft, id, right))} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function LastDay({ draft, onChange }: GrantsFormProps): ReactNode {
  const id = useId();
  const nowMs = useNow(MINUTE_MS);
  return (
    <fieldset>
      <legend>
        <label htmlFor={id}>Until the end of</label>
      </legend>
      <div className="grant-until">
        <input id={id} className="input" type="date" min={dayText(nowMs)} value={draft.lastDay} onChange={(event) => onChange({ ...draft, lastDay: event.target.value })} />
        {draft.lastDay === '' ? <span className="muted">No end: until you revoke it.</span> : <Button tone="quiet" onClick={() => onChange({ ...draft, lastDay: '' })}>No end</Button>}
      </div>
    </fieldset>
  );
}
