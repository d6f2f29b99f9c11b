/** Saves the set-up of this home as one sealed file, and takes one over: first what would change, then the change. */
import { type ReactNode, type SubmitEvent, useRef, useState } from 'react';
import { MAX_SETUP_BYTES, SETUP_PASSWORD_LENGTH, type SetupImport } from '../../../shared/model/setup.ts';
import { MINUTE_MS } from '../../../shared/time.ts';
import { useCommand } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { download } from '../../components/download.ts';
import { ErrorLine, Field } from '../../components/Field.tsx';
import { formatMoment } from '../../components/format.ts';
import { useToast } from '../../components/Toasts.tsx';
import { useNow } from '../../state/use-now.ts';
import './check.css';

interface ChosenFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export function TakeAlong(): ReactNode {
  const [doing, setDoing] = useState<'save' | null>(null);
  const [file, setFile] = useState<ChosenFile | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const choose = async (chosen: File | undefined): Promise<void> => {
    // The same file may be chosen again after it was changed.
    if (input.current !== null) input.current.value = '';
    if (chosen === undefined) return;
    setDoing(null);
    const tooLarge = chosen.size > MAX_SETUP_BYTES;
    setProblem(tooLarge ? 'This is no Porchlight set-up. Choose the file that “Save the set-up” made.' : null);
    setFile(tooLarge ? null : { name: chosen.name, bytes: new Uint8Array(await chosen.arrayBuffer()) });
  };
  return (
    <section className="card take-along" aria-label="Take your set-up along">
      <h2>Take your set-up along</h2>
      <p className="muted">Cameras with their passwords, rules and settings in one file that only opens with a password you choose. Footage stays on its disks.</p>
      {doing === 'save' ? <Save onDone={() => setDoing(null)} /> : null}
      {file === null ? null : <TakeOver file={file} onDone={() => setFile(null)} />}
      {problem === null ? null : <ErrorLine>{problem}</ErrorLine>}
      {doing !== null || file !== null ? null : (
        <div className="row">
          <Button onClick={() => (setProblem(null), setDoing('save'))}>Save the set-up</Button>
          <Button tone="quiet" onClick={() => input.current?.click()}>
            Take one over
          </Button>
        </div>
      )}
      <input ref={input} type="file" accept=".setup" hidden aria-label="Set-up to take over" onChange={(event) => void choose(event.target.files?.[0])} />
    </section>
  );
}

function Save({ onDone }: { readonly onDone: () => void }): ReactNode {
  const save = useCommand('config.export');
  const toast = useToast();
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const other = again !== '' && again !== password;
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const saved = await save.run({ password });
    if (saved === null) return;
    download(saved.fileName, saved.bytes);
    toast('The set-up is saved. Without its password the file is of no use to anybody, you included.');
    onDone();
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Field label="Password for the file" type="password" autoComplete="new-password" maxLength={256} value={password} hint={`${SETUP_PASSWORD_LENGTH} characters or more. Nobody can open the file without it.`} onChange={(event) => setPassword(event.target.value)} />
      <Field label="The same again" type="password" autoComplete="new-password" maxLength={256} value={again} error={other ? 'The two are not the same.' : null} onChange={(event) => setAgain(event.target.value)} />
      {save.error === null ? null : <ErrorLine>{save.error.message}</ErrorLine>}
      <div className="row">
        <Button type="submit" tone="primary" disabled={save.busy || password.length < SETUP_PASSWORD_LENGTH || again !== password}>
          {save.busy ? 'Sealing …' : 'Save'}
        </Button>
        <Button tone="quiet" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

function TakeOver({ file, onDone }: { readonly file: ChosenFile; readonly onDone: () => void }): ReactNode {
  const take = useCommand('config.import');
  const toast = useToast();
  const nowMs = useNow(MINUTE_MS);
  const [password, setPassword] = useState('');
  const [plan, setPlan] = useState<SetupImport | null>(null);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    // A port moves what it is given: each asking has its own copy.
    const answer = await take.run({ password, apply: plan !== null, bytes: file.bytes.slice() });
    if (answer === null) return;
    if (!answer.applied) {
      setPlan(answer);
      return;
    }
    toast('The set-up is taken over. The one before it is kept in the data folder.');
    onDone();
  };
  const changing = plan?.changes.some(({ kind }) => kind !== 'keep') ?? true;
  return (
    <form onSubmit={(event) => void submit(event)}>
      {plan === null ? (
        <Field label={`Password of ${file.name}`} type="password" autoComplete="off" maxLength={256} value={password} onChange={(event) => setPassword(event.target.value)} />
      ) : (
        <div>
          <h3>{changing ? 'What would change here' : 'Nothing would change here'}</h3>
          <p className="muted numbers">
            Set-up of “{plan.homeName}”, saved {formatMoment(plan.savedMs, nowMs)}
          </p>
          <ul>
            {plan.changes.map(({ kind, sentence }) => (
              <li key={sentence} className={kind === 'keep' ? 'muted' : ''}>
                {sentence}
              </li>
            ))}
          </ul>
        </div>
      )}
      {take.error === null ? null : <ErrorLine>{take.error.message}</ErrorLine>}
      <div className="row">
        <Button type="submit" tone="primary" disabled={take.busy || password === '' || !changing}>
          {take.busy ? 'One moment …' : plan === null ? 'Open' : 'Take over'}
        </Button>
        <Button tone="quiet" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
