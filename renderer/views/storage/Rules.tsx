/** The rules, what they would do while they are typed, and a second press where much would go. */
import { type ReactNode, type SubmitEvent, useEffect, useState } from 'react';
import type { StorageSummary } from '../../../shared/model/storage.ts';
import type { StorageRules, WhatIf } from '../../../shared/model/storage-rules.ts';
import { useCommand, useQuery } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { ErrorLine, Field } from '../../components/Field.tsx';
import { formatBytes, formatDays } from '../../components/format.ts';
import { useToast } from '../../components/Toasts.tsx';
import { useCameras } from '../../state/cameras.tsx';
import { inCameraOrder } from './camera-order.ts';
import { addedOf, fieldsOf, patchOf, type RulesFields } from './rules-form.ts';

export interface RulesProps {
  readonly rules: StorageRules;
  readonly data: StorageSummary;
  readonly onSaved: () => void;
}

/** Nobody reads an answer to half a number. */
const ASK_AFTER_MS = 350;

export function Rules({ rules, data, onSaved }: RulesProps): ReactNode {
  const save = useCommand('storage.setRules');
  const toast = useToast();
  const [before] = useState(() => fieldsOf(rules, data));
  const [fields, setFields] = useState(before);
  const change = (over: Partial<RulesFields>): void => setFields((now) => ({ ...now, ...over }));
  const patch = patchOf(fields, before);
  const added = addedOf(fields);
  const isChanged = patch !== null && Object.keys(patch).length > 0;
  const question = useSettled(patch === null || (!isChanged && added.length === 0) ? null : { rules: patch, addedBytesPerDay: [...added] });
  const whatIf = useQuery('storage.whatIf', question.value);
  // An answer counts for what stands in the fields, not for what stood there before.
  const answer = question.value === null || !question.settled || whatIf.loading ? null : whatIf.data;
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (patch === null || !isChanged) return;
    if ((await save.run({ ...patch, ...(answer?.asks === true ? { confirmed: answer.token } : {}) })) === null) return;
    toast('The rules are in force.');
    onSaved();
  };
  return (
    <section className="card">
      <h2>How long it is kept</h2>
      <p className="muted">The oldest footage goes first, and a full disk never stops recording. What you keep for good stays, whatever the rules say.</p>
      <form onSubmit={(event) => void submit(event)}>
        <Disks data={data} fields={fields} change={change} />
        <div className="rules">
          <Field label="No older than (days)" inputMode="numeric" placeholder="no limit" value={fields.maxAge} onChange={(event) => change({ maxAge: event.target.value })} hint="For cameras without days of their own." />
          <Field label="Footage around events for (days)" inputMode="numeric" placeholder="as everything else" value={fields.eventDays} onChange={(event) => change({ eventDays: event.target.value })} hint="It goes after everything that shows nothing." />
          <Field label="… with so many seconds around them" inputMode="numeric" value={fields.eventSeconds} disabled={fields.eventDays.trim() === ''} onChange={(event) => change({ eventSeconds: event.target.value })} />
        </div>
        <Ages data={data} fields={fields} change={change} />
        <details className="more">
          <summary>What if there were one more camera?</summary>
          <div className="rules">
            <Field label="It would write (GB a day)" inputMode="numeric" placeholder={averageOf(data)} value={fields.added} onChange={(event) => change({ added: event.target.value })} hint="Only to see what it would mean; nothing is changed." />
          </div>
        </details>
        <Answer answer={answer} saving={isChanged} wrong={patch === null} error={whatIf.error === null || question.value === null ? null : whatIf.error.message} data={data} />
        {isChanged ? (
          <div className="rules-save">
            <Button type="submit" tone={answer?.asks === true ? 'danger' : 'primary'} disabled={save.busy || answer === null}>
              {answer?.asks === true ? 'Delete it and save' : 'Save rules'}
            </Button>
            <Button tone="quiet" onClick={() => setFields(before)}>
              Leave as they are
            </Button>
          </div>
        ) : null}
      </form>
      {save.error === null ? null : <ErrorLine>{save.error.message}</ErrorLine>}
    </section>
  );
}

interface PartProps {
  readonly data: StorageSummary;
  readonly fields: RulesFields;
  readonly change: (over: Partial<RulesFields>) => void;
}

function Disks({ data: { roots }, fields, change }: PartProps): ReactNode {
  const alone = roots.length === 1;
  return (
    <>
      {roots.map(({ rootId, path }) => (
        <fieldset className="rules" key={rootId}>
          {alone ? null : <legend className="path">{path}</legend>}
          <Field label="Use at most (GB)" inputMode="numeric" placeholder="all there is" value={fields.quotas[rootId] ?? ''} onChange={(event) => change({ quotas: { ...fields.quotas, [rootId]: event.target.value } })} />
          {alone && fields.keepFreeOf[rootId] === '' ? (
            <Field label="Keep free (GB)" inputMode="numeric" value={fields.keepFree} onChange={(event) => change({ keepFree: event.target.value })} />
          ) : (
            <Field label="Keep free (GB)" inputMode="numeric" placeholder={fields.keepFree} value={fields.keepFreeOf[rootId] ?? ''} onChange={(event) => change({ keepFreeOf: { ...fields.keepFreeOf, [rootId]: event.target.value } })} />
          )}
        </fieldset>
      ))}
    </>
  );
}

function Ages({ data, fields, change }: PartProps): ReactNode {
  const cameras = useCameras() ?? [];
  if (cameras.length === 0) return null;
  const some = [...Object.values(fields.minAges), ...Object.values(fields.maxAges)].some((text) => text !== '');
  return (
    <details className="more" open={some ? true : undefined}>
      <summary>Days for each camera</summary>
      <p className="muted">Footage younger than “at least” goes only when nothing else is left to delete; you are told when that happens.</p>
      <table className="ages">
        <thead>
          <tr>
            <th scope="col">Camera</th>
            <th scope="col">At least (days)</th>
            <th scope="col">No older than (days)</th>
            <th scope="col">Lasts</th>
          </tr>
        </thead>
        <tbody>
          {cameras.map(({ camera: { id, name } }) => (
            <tr key={id}>
              <th scope="row">{name}</th>
              <td>
                <input className="input" aria-label={`${name}: at least so many days`} inputMode="numeric" placeholder="–" value={fields.minAges[id] ?? ''} onChange={(event) => change({ minAges: { ...fields.minAges, [id]: event.target.value } })} />
              </td>
              <td>
                <input className="input" aria-label={`${name}: no older than so many days`} inputMode="numeric" placeholder={fields.maxAge === '' ? 'no limit' : fields.maxAge} value={fields.maxAges[id] ?? ''} onChange={(event) => change({ maxAges: { ...fields.maxAges, [id]: event.target.value } })} />
              </td>
              <td className="numbers">{formatDays(data.cameras.find(({ cameraId }) => cameraId === id)?.forecastDays ?? null)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

/** One calm sentence with numbers, and each camera that loses footage. */
function Answer({ answer, saving, wrong, error, data }: { readonly answer: WhatIf | null; readonly saving: boolean; readonly wrong: boolean; readonly error: string | null; readonly data: StorageSummary }): ReactNode {
  const cameras = useCameras() ?? [];
  if (wrong) return <ErrorLine>One of the fields does not hold a number.</ErrorLine>;
  if (error !== null) return <ErrorLine>{error}</ErrorLine>;
  if (answer === null) return null;
  const losing = inCameraOrder(answer.cameras.filter(({ deletedBytes }) => deletedBytes > 0), cameras);
  const nameOf = (id: string): string => cameras.find(({ camera }) => camera.id === id)?.camera.name ?? 'A removed camera';
  return (
    <div className="what-if" data-asks={answer.asks} aria-live="polite">
      <p>{saving ? answer.sentence : `With it, about ${formatDays(answer.forecastDays)} would fit; without it ${formatDays(data.forecastDays)}.`}</p>
      {saving && answer.asks && losing.length > 0 ? (
        <p className="muted">{losing.map(({ cameraId, deletedBytes }) => `${nameOf(cameraId)} ${formatBytes(deletedBytes)}`).join(' · ')}</p>
      ) : null}
      {saving ? answer.broken.map(({ rule, rootId, cameraId, sentence }) => <p key={`${rule} ${rootId} ${cameraId}`} className="muted">{sentence}</p>) : null}
    </div>
  );
}

function averageOf({ cameras, bytesPerDay }: StorageSummary): string {
  const writing = cameras.filter((camera) => camera.bytesPerDay > 0).length;
  return writing === 0 ? '20' : `${Math.max(1, Math.round(bytesPerDay / writing / 1e9))} as the others do`;
}

/** A value once it has stayed the same for a moment. */
function useSettled<T>(value: T): { readonly value: T; readonly settled: boolean } {
  const text = JSON.stringify(value);
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(text), ASK_AFTER_MS);
    return () => window.clearTimeout(timer);
  }, [text]);
  return { value: JSON.parse(settled) as T, settled: settled === text };
}
