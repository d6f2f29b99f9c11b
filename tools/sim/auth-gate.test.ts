import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { AuthGate, Lockout, parseAuthorization, type AuthScheme } from './auth-gate.ts';
import { QuirkSet } from './quirks.ts';

function gateWith(scheme: AuthScheme, quirks = new QuirkSet()): AuthGate {
  return new AuthGate({ realm: 'r', credentials: () => ({ username: 'viewer', password: 'pässw&rd' }), scheme: () => scheme, quirks, lockout: new Lockout(quirks) });
}

/** As RFC 7616 has it for qop=auth. */
function answer(challenge: string, algorithm: 'md5' | 'sha256', password: string): string {
  const nonce = parseAuthorization(challenge).parameters.get('nonce') ?? '';
  const hash = (text: string): string => createHash(algorithm).update(text, 'utf8').digest('hex');
  const response = hash(`${hash(`viewer:r:${password}`)}:${nonce}:00000001:abc:auth:${hash('DESCRIBE:rtsp://camera/main')}`);
  const name = algorithm === 'md5' ? 'MD5' : 'SHA-256';
  return `Digest username="viewer", realm="r", nonce="${nonce}", uri="rtsp://camera/main", algorithm=${name}, qop=auth, nc=00000001, cnonce="abc", response="${response}"`;
}

test.each([
  ['digest', 'md5', 0],
  ['sha256', 'sha256', 0],
  ['both', 'sha256', 0],
  ['both', 'md5', 1],
] as const)('%s: the right answer with %s opens, a wrong one does not', (scheme, algorithm, which) => {
  const gate = gateWith(scheme);
  const challenge = gate.challenges()[which] ?? '';
  expect(gate.check('DESCRIBE', answer(challenge, algorithm, 'pässw&rd'))).toEqual({ ok: true, stale: false });
  expect(gate.check('DESCRIBE', answer(challenge, algorithm, 'other'))).toEqual({ ok: false, stale: false });
});

test('sha256 alone takes no MD5, an unknown nonce is stale, basic is basic', () => {
  const gate = gateWith('sha256');
  expect(gate.check('DESCRIBE', answer(gate.challenges()[0] ?? '', 'md5', 'pässw&rd')).ok).toBe(false);
  expect(gate.check('DESCRIBE', answer('Digest nonce="nobody knows"', 'sha256', 'pässw&rd'))).toEqual({ ok: false, stale: true });
  const basic = `Basic ${Buffer.from('viewer:pässw&rd').toString('base64')}`;
  expect(gateWith('basic').check('DESCRIBE', basic).ok).toBe(true);
  expect(gate.check('DESCRIBE', basic).ok).toBe(false);
});

test('digest-stale: each nonce is refused once as stale, then the next one is good', () => {
  const quirks = new QuirkSet();
  quirks.set('digest-stale', true);
  const gate = gateWith('digest', quirks);
  expect(gate.check('DESCRIBE', answer(gate.challenges()[0] ?? '', 'md5', 'pässw&rd'))).toEqual({ ok: false, stale: true });
  expect(gate.check('DESCRIBE', answer(gate.challenges(true)[0] ?? '', 'md5', 'pässw&rd'))).toEqual({ ok: true, stale: false });
});
