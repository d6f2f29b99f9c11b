/** What is said of codes that are none to pair with, and of a camera that shows nothing. */
import { describe, expect, it } from 'vitest';
import { encodePairingCode } from '../../shared/relay/pairing-code.ts';
import { cameraProblem, isOurs, noticeAfter } from './scan-words.ts';

const bytes = (count: number): Uint8Array => new Uint8Array(count).fill(1);
const CODE = encodePairingCode({ relays: ['wss://relay.example'], homePublicKey: bytes(32), token: bytes(16), secret: bytes(32), expiresMs: 1_800_000_000_000 });
const DOOR = 'https://192.168.1.5:8443#sha256=00';

describe('a code that was seen', () => {
  it('is ours only when a home can be called with it', () => {
    expect([CODE, DOOR, CODE.replace(':1.', ':2.'), CODE.slice(0, -3), ''].map(isOurs)).toEqual([true, false, false, false, false]);
  });

  it('is named while it is in sight, and a little longer', () => {
    const seen = noticeAfter(null, DOOR, 1_000);
    expect(seen?.sentence).toMatch(/not for pairing.*Add a device/);
    expect(noticeAfter(seen, null, 4_900)).toBe(seen);
    const again = noticeAfter(seen, DOOR, 4_900);
    expect(noticeAfter(again, null, 8_000)).toBe(again);
    expect(noticeAfter(again, null, 9_000)).toBeNull();
    expect(noticeAfter(null, null, 9_000)).toBeNull();
  });

  it('of another version says so', () => {
    expect(noticeAfter(null, CODE.replace(':1.', ':2.'), 0)?.sentence).toMatch(/another version/);
  });
});

describe('without a picture', () => {
  it.each([
    ['NotAllowedError', /refused.*allow it/],
    ['SecurityError', /refused.*allow it/],
    ['NotFoundError', /No camera was found/],
    ['OverconstrainedError', /No camera was found/],
    ['NotReadableError', /another program uses it/],
    ['AbortError', /another program uses it/],
    ['TypeError', /did not start/],
  ])('%s says what to do instead, in one sentence', (name, words) => {
    const sentence = cameraProblem(new DOMException('', name));
    expect(sentence).toMatch(words);
    expect(sentence).toMatch(/paste the code, or choose “Twelve words”\.$/);
    expect(sentence.match(/[.!?]/g)).toHaveLength(1);
  });

  it('takes whatever was thrown', () => {
    expect(cameraProblem('?')).toMatch(/did not start/);
  });
});
