/** What a person may paste or type for an offer to pair, and what is said of the rest. */
import { entropyToMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { describe, expect, it } from 'vitest';
import { encodePairingCode } from '../../shared/relay/pairing-code.ts';
import { readCode, readWords } from './read-offer.ts';

const bytes = (count: number, value: number): Uint8Array => new Uint8Array(count).fill(value);
const CODE = encodePairingCode({ relays: ['wss://relay.example'], homePublicKey: bytes(32, 1), token: bytes(16, 2), secret: bytes(32, 3), expiresMs: 1_800_000_000_000 });
const ENTROPY = Uint8Array.from({ length: 16 }, (_, at) => at * 7);
const PHRASE = entropyToMnemonic(ENTROPY, wordlist);

describe('a code', () => {
  it('is read with the line breaks of a mail in it', () => {
    const read = readCode(` ${CODE.slice(0, 40)}\n${CODE.slice(40)} `);
    expect(read).toMatchObject({ offer: { kind: 'code', code: { relays: ['wss://relay.example'], expiresMs: 1_800_000_000_000 } } });
  });

  it.each([
    ['', /Paste the code/],
    ['https://example.org', /not a code of Porchlight/],
    [CODE.slice(0, -3), /not whole/],
  ])('%j is refused with a sentence', (text, sentence) => {
    expect(readCode(text)).toEqual({ problem: expect.stringMatching(sentence) as string });
  });
});

describe('twelve words', () => {
  it('are read however they are separated and written', async () => {
    const read = await readWords(`1. ${PHRASE.toUpperCase().split(' ').join(',\n2. ')}`, 'wss://relay.example');
    expect(read).toEqual({ offer: { kind: 'words', entropy: ENTROPY, relays: ['wss://relay.example'] } });
  });

  it.each([
    ['', /Type the twelve words/],
    ['able about above', /These are 3 words/],
    [PHRASE.replace(/^\w+/, 'porchlight'), /“porchlight” is none of the words/],
    [PHRASE.split(' ').toReversed().join(' '), /do not belong together/],
  ])('%j are refused with a sentence', async (text, sentence) => {
    expect(await readWords(text, 'wss://relay.example')).toEqual({ problem: expect.stringMatching(sentence) as string });
  });
});
