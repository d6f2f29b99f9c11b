/** Reads an offer to pair from what a person has of it: its text, a picture of its QR code, or twelve words. */
import { decodePairingCode, looksLikePairingCode, type PairingCode } from '../../shared/relay/pairing-code.ts';
import { loadFinder } from './find-code.ts';

/** How a home can be found and asked. */
export type Offer =
  | { readonly kind: 'code'; readonly code: PairingCode }
  /** 16 bytes, and where the home waits: the words name no relay. */
  | { readonly kind: 'words'; readonly entropy: Uint8Array; readonly relays: readonly string[] };

export type ReadOffer = { readonly offer: Offer } | { readonly problem: string };

const WORDS = 12;
/** Longer sides are made this long before a code is looked for: a photo of a screen has many more pixels than a code needs. */
const LARGEST_PX = 1600;
/** Photos are searched for longer than frames of a film. */
const SEARCH_MS = 1_500;

/** The text of a code. */
export function readCode(text: string): ReadOffer {
  if (text.trim() === '') return { problem: 'Paste the code that the home shows: “Copy the code” there.' };
  if (!looksLikePairingCode(text)) return { problem: 'This is not a code of Porchlight: that begins with porchlight-pair:' };
  const code = decodePairingCode(text);
  return code === null ? { problem: 'The code is not whole, or of another version of Porchlight. Copy all of it.' } : { offer: { kind: 'code', code } };
}

/** Twelve words and the relay's address as it is kept. */
export async function readWords(text: string, relay: string): Promise<ReadOffer> {
  const words = text.toLowerCase().split(/[^a-z]+/).filter((word) => word !== '');
  if (words.length !== WORDS) return { problem: words.length === 0 ? 'Type the twelve words that the home shows.' : `These are ${words.length} words; the home shows ${WORDS}.` };
  // The list of 2048 words is fetched by those who type some.
  const [{ mnemonicToEntropy }, { wordlist }] = await Promise.all([import('@scure/bip39'), import('@scure/bip39/wordlists/english.js')]);
  const unknown = words.find((word) => !wordlist.includes(word));
  if (unknown !== undefined) return { problem: `“${unknown}” is none of the words that are used. Is it spelt right?` };
  try {
    return { offer: { kind: 'words', entropy: mnemonicToEntropy(words.join(' '), wordlist), relays: [relay] } };
  } catch {
    return { problem: 'The words do not belong together: one of them is another one, or they are in another order.' };
  }
}

/** The text of the QR code in a picture; null where none is found. Rejects where the file is no picture. */
export async function readPicture(picture: Blob): Promise<string | null> {
  const [find, bitmap] = await Promise.all([loadFinder(), createImageBitmap(picture)]);
  const scale = Math.min(1, LARGEST_PX / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale))];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) return null;
  // What is see-through was drawn for paper.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return find(context.getImageData(0, 0, width, height), SEARCH_MS);
}
