/** The device that came with the code: its name, six digits to compare, and what it may see. */
import { TriangleAlert } from 'lucide-react';
import { type ReactNode, type SubmitEvent, useState } from 'react';
import type { Grants, PairingOffer } from '../../../shared/model/remote.ts';
import { Button } from '../../components/Button.tsx';
import { ErrorLine, Field } from '../../components/Field.tsx';
import { useCameras } from '../../state/cameras.tsx';
import { GrantsForm } from './GrantsForm.tsx';
import { grantsOf, problemOf, usualDraft } from './grants-form.ts';
import { digitsInTwo } from './pairing-step.ts';

interface CandidateProps {
  readonly offer: PairingOffer;
  readonly candidate: NonNullable<PairingOffer['candidate']>;
  /** Allowed, and not yet answered. */
  readonly busy: boolean;
  readonly onAllow: (name: string, grants: Grants) => void;
  readonly onRefuse: () => void;
}

export function Candidate({ offer, candidate, busy, onAllow, onRefuse }: CandidateProps): ReactNode {
  const cameras = useCameras() ?? [];
  const [name, setName] = useState(candidate.name);
  const [draft, setDraft] = useState(() => usualDraft(cameras.map(({ camera }) => camera.id)));
  const [problem, setProblem] = useState<string | null>(null);
  const digits = digitsInTwo(candidate.digits);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const wrong = name.trim() === '' ? 'Give the device a name.' : problemOf(draft, Date.now());
    setProblem(wrong);
    if (wrong === null) onAllow(name.trim(), grantsOf(draft));
  };
  return (
    <form className="candidate" onSubmit={submit}>
      {offer.warning === null ? null : (
        <p className="pairing-warning" role="alert">
          <TriangleAlert size={20} aria-hidden="true" />
          <span>{offer.warning}</span>
        </p>
      )}
      <div className="digits-card" role="status">
        <p>
          <strong>{candidate.name}</strong> wants to look in. It must show the same six digits:
        </p>
        <p className="digits numbers" aria-label={`Six digits: ${candidate.digits.split('').join(' ')}`}>
          <span aria-hidden="true">{digits[0]}</span>
          <span aria-hidden="true">{digits[1]}</span>
        </p>
        <p className="muted">Other digits, or not your device? Then press “Not mine”.</p>
      </div>
      <Field label="Its name here" maxLength={60} value={name} disabled={busy} onChange={(event) => setName(event.target.value)} />
      <GrantsForm draft={draft} onChange={setDraft} />
      {problem === null ? null : <ErrorLine>{problem}</ErrorLine>}
      <div className="pairing-buttons sticky">
        <Button type="submit" tone="primary" disabled={busy}>
          {busy ? 'Letting it in …' : 'Same digits: allow'}
        </Button>
        <Button tone="danger" disabled={busy} onClick={onRefuse}>
          Not mine
        </Button>
      </div>
    </form>
  );
}
