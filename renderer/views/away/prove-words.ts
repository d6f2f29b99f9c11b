/** The three checks of "Prove it", and what the capture says, in words for everybody. Pure. */
import type { Proof, RelayCapture } from '../../../shared/model/remote.ts';

export interface CheckWords {
  readonly check: Proof['check'];
  readonly title: string;
  readonly about: string;
  readonly control: string;
  /** What its first count is of. */
  readonly counted: string;
}

export const CHECKS: readonly CheckWords[] = [
  {
    check: 'search',
    title: 'Is a picture or a name in it?',
    about: 'Searches everything the relay was given for pictures, video, and the names of your cameras, devices and home.',
    control: 'The same search in the same messages before they were sealed must find them.',
    counted: 'Found in what the relay was given',
  },
  {
    check: 'keys',
    title: 'Does another key open it?',
    about: 'Tries the keys of other devices, other sessions and this home on what the relay was given.',
    control: 'The right key must open a rehearsal.',
    counted: 'Opened of what the relay was given',
  },
  {
    check: 'misroute',
    title: 'What if the relay mixes two homes up?',
    about: 'Makes a stranger’s home and a viewer up on this computer, and joins the two as a relay that mixes homes up would: from the start, and in the middle of watching.',
    control: 'Without the seal, the stranger’s pictures must appear.',
    counted: 'Shown of the stranger’s home',
  },
];

const count = new Intl.NumberFormat();

/** A check whose control found nothing has proven nothing, whatever else it says. */
export function verdictOf({ passed, controlHits }: Proof): { readonly tone: 'good' | 'wrong'; readonly words: string } {
  if (controlHits === 0) return { tone: 'wrong', words: 'Not proven: the control found nothing' };
  return passed ? { tone: 'good', words: 'Passed' } : { tone: 'wrong', words: 'Failed' };
}

/** "0 of 1,204", or the bare count where it is not known of how many. */
export function hitsWords(hits: number, looked: number): string {
  return looked > 0 ? `${count.format(hits)} of ${count.format(looked)}` : count.format(hits);
}

/** How near the bytes are to noise. Some hundred bytes cannot reach 8 bits however random they are. */
export function entropySentence({ entropyBits, bytes, messages }: RelayCapture): string {
  if (messages === 0) return 'Nothing was given to the relay yet.';
  const bits = entropyBits.toLocaleString(undefined, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
  if (bytes < 16_384) return `${bits} bits of chance per byte; too little was sent yet to say more.`;
  return entropyBits >= 7.99 ? `${bits} of 8 bits per byte: it cannot be told from noise.` : `${bits} of 8 bits per byte: not all of it is noise.`;
}

/** "3f a0 …": pairs of digits are easier on the eye. */
export function spacedHex(hex: string): string {
  return hex.replace(/../g, '$& ').trim();
}
