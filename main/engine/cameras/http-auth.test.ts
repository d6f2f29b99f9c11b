import { describe, expect, it } from 'vitest';
import { basicAuthorization, bestDigest, digestAuthorization, parseChallenges, type AuthChallenge } from './http-auth.ts';
import { forceUnwrap } from '../../../shared/result.ts';

const digest = (header: string): AuthChallenge => forceUnwrap('the header has a digest challenge', bestDigest(parseChallenges([header])));
const request = { method: 'GET', uri: '/dir/index.html', body: new Uint8Array(), nonceCount: 1 };

describe('digest answers of the standards', () => {
  const rfc7616 = 'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
  const vectors: [string, string, { username: string; password: string }, string, string][] = [
    ['RFC 2617 section 3.5', 'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"', { username: 'Mufasa', password: 'Circle Of Life' }, '0a4f113b', '6629fae49393a05397450978507c4ef1'],
    ['RFC 7616 section 3.9.1, MD5', `Digest ${rfc7616}, algorithm=MD5`, { username: 'Mufasa', password: 'Circle of Life' }, 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ', '8ca523f5e9506fed4657c9700eebdbec'],
    ['RFC 7616 section 3.9.1, SHA-256', `Digest ${rfc7616}, algorithm=SHA-256`, { username: 'Mufasa', password: 'Circle of Life' }, 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ];
  for (const [name, header, login, clientNonce, response] of vectors) {
    it(name, () => {
      expect(digestAuthorization(digest(header), login, { ...request, clientNonce })).toContain(`response="${response}"`);
    });
  }

  it('RFC 2069 (no qop) sends neither count nor client nonce', () => {
    const answer = digestAuthorization(digest('Digest realm="r", nonce="n"'), { username: 'u', password: 'p' }, { ...request, clientNonce: 'c' });
    expect(answer).not.toMatch(/qop|nc=|cnonce|algorithm/);
  });
});

describe('challenges', () => {
  it('several in one header and several headers are all read', () => {
    expect(parseChallenges(['Basic realm="a, b", Digest realm="c", nonce="n"', 'Negotiate', 'digest REALM=d,nonce=e']).map((one) => [one.scheme, one.parameters.get('realm')])).toEqual([['basic', 'a, b'], ['digest', 'c'], ['digest', 'd']]);
  });

  it('the stronger algorithm is taken, an unknown one is not', () => {
    const headers = ['Digest realm="a", nonce="1"', 'Digest realm="b", nonce="2", algorithm=SHA-256', 'Digest realm="c", nonce="3", algorithm=FOO'];
    expect(bestDigest(parseChallenges(headers))?.parameters.get('realm')).toBe('b');
    expect(bestDigest(parseChallenges(['Digest realm="c", nonce="3", algorithm=FOO', 'Basic realm="x"']))).toBeNull();
  });

  it('quotes and line ends in a name cannot leave the header', () => {
    const answer = digestAuthorization(digest('Digest realm="r", nonce="n"'), { username: 'a"b\r\nX: y', password: 'p' }, { ...request, clientNonce: 'c' });
    expect(answer).toContain('username="a\\"bX: y"');
  });

  it('Basic carries UTF-8', () => {
    expect(basicAuthorization({ username: 'u', password: 'ß' })).toBe(`Basic ${Buffer.from('u:ß').toString('base64')}`);
  });
});
