/** "Prove it": what the relay was given, and three checks, each beside a control that must find something. */
import { CircleAlert, CircleCheck, LoaderCircle } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { Proof } from '../../../shared/model/remote.ts';
import { useCommand } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { ErrorLine } from '../../components/Field.tsx';
import { Capture } from './Capture.tsx';
import { CHECKS, type CheckWords, hitsWords, verdictOf } from './prove-words.ts';
import './prove.css';

export function Prove(): ReactNode {
  const [open, setOpen] = useState(false);
  return (
    <section className="card prove" aria-label="Prove it">
      <h2>Prove it</h2>
      <p className="muted">You need not believe that the relay sees nothing. Look at what it was given, and let Porchlight try to break its own seal.</p>
      <ul className="checks">
        {CHECKS.map((words) => (
          <Check key={words.check} words={words} />
        ))}
      </ul>
      <details className="more" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>What the relay sees</summary>
        {open ? <Capture /> : null}
      </details>
    </section>
  );
}

function Check({ words: { check, title, about, control, counted } }: { readonly words: CheckWords }): ReactNode {
  const prove = useCommand('remote.prove');
  const [proof, setProof] = useState<Proof | null>(null);
  const run = async (): Promise<void> => {
    setProof(null);
    setProof(await prove.run({ check }));
  };
  return (
    <li>
      <div className="check-head">
        <div>
          <h3>{title}</h3>
          <p className="muted">
            {about} <span>Control: {lowerFirst(control)}</span>
          </p>
        </div>
        <Button disabled={prove.busy} onClick={() => void run()} aria-label={`${proof === null ? 'Try it' : 'Try again'}: ${title}`}>
          {prove.busy ? (
            <>
              <LoaderCircle className="turning" size={16} aria-hidden="true" />
              Trying …
            </>
          ) : proof === null ? (
            'Try it'
          ) : (
            'Try again'
          )}
        </Button>
      </div>
      <div aria-live="polite">{proof === null ? null : <Outcome proof={proof} counted={counted} />}</div>
      {prove.error === null ? null : <ErrorLine>{prove.error.message}</ErrorLine>}
    </li>
  );
}

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1);

function Outcome({ proof, counted }: { readonly proof: Proof; readonly counted: string }): ReactNode {
  const verdict = verdictOf(proof);
  return (
    <div className="outcome" data-tone={verdict.tone}>
      <p className="verdict">
        {verdict.tone === 'good' ? <CircleCheck size={18} aria-hidden="true" /> : <CircleAlert size={18} aria-hidden="true" />}
        <strong>{verdict.words}</strong>
      </p>
      <dl>
        <div>
          <dt>{counted}</dt>
          <dd className="numbers big">{hitsWords(proof.hits, proof.looked)}</dd>
          <dd className="muted">{proof.found}</dd>
        </div>
        <div>
          <dt>The same in the control</dt>
          <dd className="numbers big">{hitsWords(proof.controlHits, 0)}</dd>
          <dd className="muted">{proof.control}</dd>
        </div>
      </dl>
    </div>
  );
}
