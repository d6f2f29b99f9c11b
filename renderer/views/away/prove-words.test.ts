import { describe, expect, it } from 'vitest';
import type { Proof, RelayCapture } from '../../../shared/model/remote.ts';
import { entropySentence, hitsWords, spacedHex, verdictOf } from './prove-words.ts';

const proof: Proof = { check: 'search', passed: true, found: '', control: '', looked: 1204, hits: 0, controlHits: 900 };
const capture: RelayCapture = { sinceMs: 0, messages: 10, bytes: 1e6, entropyBits: 7.9991, newest: [], readable: [] };

describe('the words of "Prove it"', () => {
  it('calls nothing proven whose control found nothing', () => {
    expect(verdictOf(proof)).toEqual({ tone: 'good', words: 'Passed' });
    expect(verdictOf({ ...proof, controlHits: 0 }).tone).toBe('wrong');
    expect(verdictOf({ ...proof, passed: false }).tone).toBe('wrong');
    expect(hitsWords(0, 1204)).toMatch(/^0 of 1.?204$/);
  });

  it('calls noise what is noise, and neither little nor plain text', () => {
    expect(entropySentence(capture)).toContain('told from noise');
    expect(entropySentence({ ...capture, entropyBits: 7.2 })).toContain('not all of it');
    expect(entropySentence({ ...capture, bytes: 900, entropyBits: 7.2 })).toContain('too little');
    expect(entropySentence({ ...capture, messages: 0, bytes: 0 })).toContain('Nothing');
    expect(spacedHex('3fa001')).toBe('3f a0 01');
  });
});
