/** "Add a device": the code, the device that came, what it may see, and how it ended. */
import { CircleCheck, CircleX, RotateCw } from 'lucide-react';
import { ToggleGroup } from 'radix-ui';
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import type { Grants, PairingKind, PairingOffer } from '../../../shared/model/remote.ts';
import { SECOND_MS } from '../../../shared/time.ts';
import { asError, useCommand, useEngine } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { Dialog } from '../../components/Dialog.tsx';
import { ErrorLine } from '../../components/Field.tsx';
import { useNow } from '../../state/use-now.ts';
import type { RemoteQuery } from '../../state/remote.ts';
import { Candidate } from './Candidate.tsx';
import { CopyButton } from './CopyButton.tsx';
import { QrCode } from './QrCode.tsx';
import { GrantsSummary } from './GrantsSummary.tsx';
import { type PairingStep, pairingStep, timeLeft } from './pairing-step.ts';
import { relayName } from './relay-address.ts';
import './pairing.css';

export interface PairingProps {
  readonly remote: RemoteQuery;
  readonly onClose: () => void;
}

export function Pairing({ remote, onClose }: PairingProps): ReactNode {
  const pairing = usePairing(remote);
  const { step } = pairing;
  return (
    <Dialog open stays onOpenChange={(open) => !open && onClose()} title={TITLES[step.kind]} wide={step.kind !== 'allowed' && step.kind !== 'ended'}>
      <div className="pairing" data-step={step.kind}>
        <Step pairing={pairing} onClose={onClose} />
        {pairing.error === null ? null : <ErrorLine>{pairing.error}</ErrorLine>}
      </div>
    </Dialog>
  );
}

const TITLES: Readonly<Record<PairingStep['kind'], string>> = { opening: 'Add a device', offer: 'Add a device', candidate: 'Is this your device?', allowed: 'It may look in now', ended: 'No device was added' };

interface PairingState {
  readonly step: PairingStep;
  readonly kind: PairingKind;
  readonly error: string | null;
  readonly begin: (kind: PairingKind) => void;
  readonly allow: (offer: PairingOffer, name: string, grants: Grants) => void;
  readonly refuse: (name: string) => void;
}

/** Opens an offer when it appears, and ends it when it goes. */
function usePairing({ data, set, refresh }: RemoteQuery): PairingState {
  const client = useEngine();
  const begin = useCommand('remote.beginPairing');
  const allow = useCommand('remote.allowPairing');
  const [kind, setKind] = useState<PairingKind>('code');
  const [began, setBegan] = useState(false);
  const [allowing, setAllowing] = useState<PairingOffer | null>(null);
  const [allowed, setAllowed] = useState<{ readonly name: string; readonly grants: Grants } | null>(null);
  const [turnedAway, setTurnedAway] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const { run } = begin;
  const start = useCallback(
    async (next: PairingKind): Promise<void> => {
      setKind(next);
      setBegan(false);
      setTurnedAway(null);
      // What the home tells now knows the offer; its end is told later.
      if ((await run({ kind: next })) !== null) await refresh().then(() => setBegan(true));
    },
    [run, refresh],
  );
  const open = useRef(false);
  useEffect(() => {
    open.current = true;
    void start('code');
    return () => {
      open.current = false;
      // React may show it again at once (StrictMode); only what stays away is ended.
      queueMicrotask(() => open.current || void client.ask('remote.cancelPairing', {}).catch(() => undefined));
    };
  }, [client, start]);
  const onAllow = async (offer: PairingOffer, name: string, grants: Grants): Promise<void> => {
    if (offer.candidate === null) return;
    setAllowing(offer);
    const cameras = grants.cameras.map(({ cameraId, rights }) => ({ cameraId, rights: [...rights] }));
    const state = await allow.run({ digits: offer.candidate.digits, name, grants: { cameras, untilMs: grants.untilMs } });
    if (state === null) await refresh();
    else {
      set(state);
      setAllowed({ name, grants });
    }
    setAllowing(null);
  };
  // The device hears that it was turned away; then the code it came with is taken back.
  const onRefuse = async (name: string): Promise<void> => {
    setProblem(null);
    try {
      await client.ask('remote.refusePairing', {});
      await client.ask('remote.cancelPairing', {});
      setTurnedAway(name);
    } catch (error) {
      setProblem(asError(error).message);
    }
  };
  return {
    step: pairingStep({ began, offer: data?.offer ?? null, allowing, allowed, lastPairing: data?.lastPairing ?? null, turnedAway }),
    kind,
    error: (begin.error ?? allow.error)?.message ?? problem,
    begin: (next) => {
      allow.clearError();
      setProblem(null);
      void start(next);
    },
    allow: (offer, name, grants) => void onAllow(offer, name, grants),
    refuse: (name) => void onRefuse(name),
  };
}

function Step({ pairing, onClose }: { readonly pairing: PairingState; readonly onClose: () => void }): ReactNode {
  const { step, kind, begin, allow, refuse, error } = pairing;
  const again = (
    <Button tone="primary" onClick={() => begin(kind)}>
      <RotateCw size={16} aria-hidden="true" />
      Show a new code
    </Button>
  );
  switch (step.kind) {
    case 'opening':
      return error === null ? <p className="muted">One moment …</p> : <div className="pairing-end">{again}</div>;
    case 'offer':
      return <Offer offer={step.offer} onKind={begin} />;
    case 'candidate':
      return <Candidate key={step.candidate.digits} offer={step.offer} candidate={step.candidate} busy={step.busy} onAllow={(name, grants) => allow(step.offer, name, grants)} onRefuse={() => refuse(step.candidate.name)} />;
    case 'allowed':
      return (
        <div className="pairing-end" role="status">
          <p className="verdict" data-tone="good">
            <CircleCheck size={20} aria-hidden="true" />
            <strong>{step.name}</strong>
          </p>
          <GrantsSummary grants={step.grants} />
          <p className="muted">You can change that or revoke it on this page at any time.</p>
          <Button tone="primary" onClick={onClose}>
            Done
          </Button>
        </div>
      );
    case 'ended':
      return (
        <div className="pairing-end" role="status">
          <p className="verdict" data-tone="wrong">
            <CircleX size={20} aria-hidden="true" />
            <span>{step.sentence}</span>
          </p>
          <div className="pairing-buttons">
            {again}
            <Button tone="quiet" onClick={onClose}>
              Close
            </Button>
          </div>
        </div>
      );
  }
}

function Offer({ offer, onKind }: { readonly offer: PairingOffer; readonly onKind: (kind: PairingKind) => void }): ReactNode {
  return (
    <>
      <ToggleGroup.Root className="choices" type="single" aria-label="How the new device learns of this home" value={offer.kind} onValueChange={(kind) => kind !== '' && kind !== offer.kind && onKind(kind as PairingKind)}>
        <ToggleGroup.Item value="code">A code</ToggleGroup.Item>
        <ToggleGroup.Item value="words">Twelve words</ToggleGroup.Item>
      </ToggleGroup.Root>
      <div className="offer" data-kind={offer.kind}>
        {offer.kind === 'code' ? <QrCode text={offer.text} label="Code for the new device. It can be copied as text instead." /> : <Words offer={offer} />}
        <div className="offer-steps">
          <ol>
            <li>Open Porchlight on the new device and go to Away.</li>
            <li>{offer.kind === 'code' ? 'Choose “Add a home” there, and give it this code: before its camera, as text, or as a picture of it.' : 'Choose “Add a home” there, then “Twelve words”, and type these with the relay’s address.'}</li>
            <li>Both show six digits. Compare them here, choose what it may see, and press Allow.</li>
          </ol>
          {offer.kind === 'code' ? <CopyButton text={offer.text}>Copy the code</CopyButton> : null}
          <TimeLeft offer={offer} />
          <p className="muted small">{offer.kind === 'code' ? 'The code is' : 'The words are'} for one device and one time. Show {offer.kind === 'code' ? 'it' : 'them'} to nobody else: nobody from Porchlight or a relay ever asks for {offer.kind === 'code' ? 'it' : 'them'}.</p>
        </div>
      </div>
    </>
  );
}

function TimeLeft({ offer: { expiresMs, triesLeft, warning } }: { readonly offer: PairingOffer }): ReactNode {
  const nowMs = useNow(SECOND_MS / 2);
  return (
    <>
      <p className="numbers" role="timer" aria-label="Time left">
        Waiting for the device: <strong>{timeLeft(expiresMs, nowMs)}</strong> left
      </p>
      {triesLeft < 3 ? <ErrorLine>{`A try failed. ${triesLeft === 1 ? 'One more is' : `${triesLeft} more are`} possible; then a new code is needed.`}</ErrorLine> : null}
      {warning === null ? null : <ErrorLine>{warning}</ErrorLine>}
    </>
  );
}

function Words({ offer }: { readonly offer: PairingOffer }): ReactNode {
  return (
    <div className="words">
      <ol aria-label="Twelve words">
        {offer.text.split(/\s+/).map((word, at) => (
          <li key={`${at} ${word}`}>{word}</li>
        ))}
      </ol>
      <p>
        {offer.relays.length === 1 ? 'Relay: ' : 'One of these relays: '}
        {offer.relays.map((url) => (
          <code key={url}>{relayName(url)}</code>
        ))}
      </p>
    </div>
  );
}
