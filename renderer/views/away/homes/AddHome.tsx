/** Adding a home in its steps: what it showed, the call, six digits to compare, and the wait for Allow. */
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { RemoteHome } from '../../../../shared/model/remote.ts';
import { asError, useOwnEngine, useQuery } from '../../../api/engine-context.tsx';
import { Button } from '../../../components/Button.tsx';
import { ErrorLine } from '../../../components/Field.tsx';
import { pairOver } from '../../../relay/pair.ts';
import type { Offer } from '../../../relay/read-offer.ts';
import { digitsInTwo } from '../pairing-step.ts';
import { deviceNameFor } from './device-name.ts';
import { EMPTY_OFFER, OfferForm } from './OfferForm.tsx';

type Step =
  | { readonly kind: 'offer'; readonly problem: string | null }
  | { readonly kind: 'calling' }
  | { readonly kind: 'digits'; readonly digits: string }
  | { readonly kind: 'keeping' };

export function AddHome({ onAdded, onCancel }: { readonly onAdded: (home: RemoteHome) => void; readonly onCancel: () => void }): ReactNode {
  const engine = useOwnEngine();
  const info = useQuery('app.info', {});
  const settings = useQuery('settings.get', {});
  const [step, setStep] = useState<Step>({ kind: 'offer', problem: null });
  const [draft, setDraft] = useState(EMPTY_OFFER);
  const [typedName, setTypedName] = useState<string | null>(null);
  const call = useRef<AbortController | null>(null);
  useEffect(() => () => call.current?.abort(), []);
  const name = typedName ?? (info.data === null || settings.data === null ? '' : deviceNameFor(info.data.platform, settings.data.homeName));

  const begin = async (offer: Offer): Promise<void> => {
    const mine = new AbortController();
    call.current = mine;
    const show = (next: Step): void => {
      if (call.current === mine) setStep(next);
    };
    show({ kind: 'calling' });
    try {
      const paired = await pairOver({ offer, deviceName: name.trim(), signal: mine.signal, onDigits: (digits) => show({ kind: 'digits', digits }), keep: async (kept) => {
        show({ kind: 'keeping' });
        return await engine.ask('homes.add', kept);
      } });
      if (call.current === mine) onAdded(paired);
    } catch (error) {
      show({ kind: 'offer', problem: asError(error).message });
    }
  };
  const stop = (): void => {
    call.current?.abort();
    call.current = null;
    setStep({ kind: 'offer', problem: null });
  };

  switch (step.kind) {
    case 'offer':
      return (
        <div className="add-home">
          {step.problem === null ? null : <ErrorLine>{step.problem}</ErrorLine>}
          <OfferForm draft={draft} onDraft={setDraft} name={name} onName={setTypedName} onOffer={(offer) => void begin(offer)} onCancel={onCancel} />
        </div>
      );
    case 'calling':
      return (
        <div className="add-home" role="status">
          <p>Calling that home …</p>
          <div className="bar busy">
            <i />
          </div>
          <Stop onStop={stop} />
        </div>
      );
    case 'digits':
      return (
        <div className="add-home" role="status">
          <p>
            <strong>Compare with the screen at home.</strong> It must show the same six digits:
          </p>
          <Digits digits={step.digits} />
          <p className="muted">The same? Then choose there what {name} may see, and press Allow. Other digits mean that somebody is in between: press Stop.</p>
          <div className="bar busy">
            <i />
          </div>
          <Stop onStop={stop} />
        </div>
      );
    case 'keeping':
      return (
        <p className="add-home" role="status">
          Allowed. Keeping the keys …
        </p>
      );
  }
}

function Digits({ digits }: { readonly digits: string }): ReactNode {
  const [first, second] = digitsInTwo(digits);
  return (
    <p className="home-digits numbers" aria-label={`Six digits: ${digits.split('').join(' ')}`}>
      <span aria-hidden="true">{first}</span>
      <span aria-hidden="true">{second}</span>
    </p>
  );
}

function Stop({ onStop }: { readonly onStop: () => void }): ReactNode {
  return (
    <div>
      <Button onClick={onStop}>Stop</Button>
    </div>
  );
}
