/** Takes what the home shows: a code as text, as a picture of its QR (pasted, dropped or chosen) or before this computer's camera, or twelve words. */
import { ImageUp, ScanQrCode } from 'lucide-react';
import { ToggleGroup } from 'radix-ui';
import { type ClipboardEvent, type DragEvent, type ReactNode, type SubmitEvent, useEffect, useId, useRef, useState } from 'react';
import { Button } from '../../../components/Button.tsx';
import { ErrorLine, Field } from '../../../components/Field.tsx';
import { type Offer, readCode, readPicture, readWords } from '../../../relay/read-offer.ts';
import { canScan } from '../../../relay/scan.ts';
import { relayAddressOf } from '../relay-address.ts';
import { ScanCode } from './ScanCode.tsx';

/** What was typed or pasted: kept while a call goes on, so that one that failed can be made again. */
export interface OfferDraft {
  readonly way: 'code' | 'words';
  readonly code: string;
  readonly words: string;
  readonly relay: string;
}

export const EMPTY_OFFER: OfferDraft = { way: 'code', code: '', words: '', relay: '' };

const HIDDEN = 'The camera was switched off, because this page went out of sight: press “Scan” to go on.';

export interface OfferFormProps {
  readonly draft: OfferDraft;
  readonly onDraft: (draft: OfferDraft) => void;
  /** What this computer will be called there. */
  readonly name: string;
  readonly onName: (name: string) => void;
  readonly onOffer: (offer: Offer) => void;
  readonly onCancel: () => void;
}

export function OfferForm({ draft, onDraft, name, onName, onOffer, onCancel }: OfferFormProps): ReactNode {
  const { way, code, words, relay } = draft;
  const change = (next: Partial<OfferDraft>): void => onDraft({ ...draft, ...next });
  const [problem, setProblem] = useState<string | null>(null);
  const { form, scanning, beginScan, stopScan } = useScanning();
  const endScan = (next: 'scan' | 'call', sentence: string | null = null): void => {
    stopScan(next);
    setProblem(sentence);
  };
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const read = way === 'code' ? readCode(code) : await readTyped(words, relay);
    if (name.trim() === '') setProblem('Give this computer a name, so that they know it there.');
    else if ('problem' in read) setProblem(read.problem);
    else onOffer(read.offer);
  };
  const takePicture = async (picture: Blob): Promise<void> => {
    const text = await readPicture(picture).catch(() => undefined);
    if (text === undefined) setProblem('This file is no picture that can be read here.');
    else if (text === null) setProblem('There is no QR code in this picture that could be read. A sharper or closer one helps.');
    else {
      change({ code: text });
      const read = readCode(text);
      setProblem('problem' in read ? read.problem : null);
    }
  };
  return (
    <form ref={form} className="offer-form" onSubmit={(event) => void submit(event)}>
      <p className="muted">At that home: Away, “Add a device”. It shows a code for five minutes.</p>
      <ToggleGroup.Root className="choices" type="single" aria-label="What the home shows" value={way} onValueChange={(next) => next !== '' && (change({ way: next as OfferDraft['way'] }), endScan('scan'))}>
        <ToggleGroup.Item value="code">Code</ToggleGroup.Item>
        <ToggleGroup.Item value="words">Twelve words</ToggleGroup.Item>
      </ToggleGroup.Root>
      {scanning ? (
        <ScanCode
          onCode={(next) => (change({ code: next }), endScan('call'))}
          onStop={() => endScan('scan')}
          onHidden={() => endScan('scan', HIDDEN)}
          onProblem={(sentence) => endScan('scan', sentence)}
        />
      ) : way === 'code' ? (
        <CodeField code={code} onCode={(next) => change({ code: next })} onPicture={(picture) => void takePicture(picture)} onScan={canScan() ? () => (setProblem(null), beginScan()) : null} />
      ) : (
        <WordsFields words={words} relay={relay} onChange={change} />
      )}
      <Field label="What this computer is called there" maxLength={60} value={name} onChange={(event) => onName(event.target.value)} />
      {problem === null ? null : <ErrorLine>{problem}</ErrorLine>}
      <div className="offer-buttons">
        <Button type="submit" tone="primary" disabled={scanning}>
          Call that home
        </Button>
        <Button tone="quiet" onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

/** Whether the camera is on, and where the focus goes when it is off again: the scanner's own button is gone then. */
function useScanning() {
  const [scanning, setScanning] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const next = useRef<'scan' | 'call' | null>(null);
  useEffect(() => {
    if (scanning || next.current === null) return;
    form.current?.querySelector<HTMLElement>(next.current === 'call' ? '[type="submit"]' : '[data-scan]')?.focus();
    next.current = null;
  }, [scanning]);
  const stopScan = (then: 'scan' | 'call'): void => {
    if (scanning) next.current = then;
    setScanning(false);
  };
  return { form, scanning, beginScan: () => setScanning(true), stopScan };
}

async function readTyped(words: string, relay: string): ReturnType<typeof readWords> {
  const address = relayAddressOf(relay);
  // Of two wrong fields the upper one is told first.
  const read = await readWords(words, 'url' in address ? address.url : '');
  return 'problem' in read || 'url' in address ? read : address;
}

function WordsFields({ words, relay, onChange }: { readonly words: string; readonly relay: string; readonly onChange: (next: Partial<OfferDraft>) => void }): ReactNode {
  return (
    <>
      <TextArea label="The twelve words" rows={2} value={words} onChange={(next) => onChange({ words: next })} placeholder="in their order" />
      <Field label="The relay’s address" placeholder="relay.example.org" autoComplete="off" spellCheck={false} value={relay} onChange={(event) => onChange({ relay: event.target.value })} />
    </>
  );
}

interface CodeFieldProps {
  readonly code: string;
  readonly onCode: (code: string) => void;
  readonly onPicture: (picture: Blob) => void;
  /** Null where the page can have no camera. */
  readonly onScan: (() => void) | null;
}

function CodeField({ code, onCode, onPicture, onScan }: CodeFieldProps): ReactNode {
  const [over, setOver] = useState(false);
  const input = useId();
  const paste = (event: ClipboardEvent): void => {
    const picture = pictureIn(event.clipboardData);
    if (picture === null) return;
    event.preventDefault();
    onPicture(picture);
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    const picture = pictureIn(event.dataTransfer);
    if (picture === null) onCode(event.dataTransfer.getData('text/plain'));
    else onPicture(picture);
  };
  const dragOver = (event: DragEvent): void => {
    event.preventDefault();
    setOver(true);
  };
  return (
    <div className="code-field" data-over={over} onPaste={paste} onDrop={drop} onDragOver={dragOver} onDragLeave={() => setOver(false)}>
      <TextArea label="The code" rows={4} value={code} onChange={onCode} placeholder="porchlight-pair:…" />
      <div className="code-ways">
        {onScan === null ? null : (
          <Button data-scan onClick={onScan}>
            <ScanQrCode size={17} aria-hidden="true" />
            Scan with this computer’s camera
          </Button>
        )}
        <label className="button plain" htmlFor={input}>
          <ImageUp size={17} aria-hidden="true" />
          Choose a picture of the QR code
        </label>
      </div>
      <input
        id={input}
        className="visually-hidden"
        type="file"
        accept="image/*"
        onChange={(event) => {
          const [picture] = event.target.files ?? [];
          event.target.value = '';
          if (picture !== undefined) onPicture(picture);
        }}
      />
      <span className="hint muted">A picture can be dropped or pasted here as well.</span>
    </div>
  );
}

function pictureIn({ files }: DataTransfer): File | null {
  return [...files].find(({ type }) => type.startsWith('image/')) ?? null;
}

function TextArea({ label, rows, value, placeholder, onChange }: { readonly label: string; readonly rows: number; readonly value: string; readonly placeholder: string; readonly onChange: (value: string) => void }): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea id={id} className="input" rows={rows} autoComplete="off" autoCapitalize="off" spellCheck={false} placeholder={placeholder} value={value} onChange={(event) => onChange(event.target.value)} />
    </div>
  );
}
