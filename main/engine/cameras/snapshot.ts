/** One still picture over HTTP from a camera's snapshot address, with digest or Basic login. */
import { randomBytes } from 'node:crypto';
import { PorchlightError } from '../../../shared/errors.ts';
import { basicAuthorization, bestDigest, digestAuthorization, parseChallenges, type Login } from './http-auth.ts';
import { fetchFromCamera, type HttpReply } from './http-client.ts';
import { alreadyRefused, passwordNeeded, wrongPassword, type CameraNetwork } from './network.ts';

/** A 4K JPEG at top quality is about 4 MB. */
const MAX_PICTURE_BYTES = 16 * 1_048_576;
const PICTURE_TIMEOUT_MS = 8000;

/** JPEG bytes. @throws PorchlightError unreachable, refused, timeout, wrong-password or bad-answer. */
export async function fetchSnapshot(network: CameraNetwork, address: string, login: Login | null, allowBasic: boolean): Promise<Uint8Array> {
  const url = new URL(address);
  const get = (authorization: string | null): Promise<HttpReply> =>
    network.queues.run(url.hostname, () =>
      fetchFromCamera(network.clock, {
        url,
        method: 'GET',
        headers: { Accept: 'image/jpeg', ...(authorization === null ? {} : { Authorization: authorization }) },
        body: new Uint8Array(),
        timeoutMs: PICTURE_TIMEOUT_MS,
        maxBytes: MAX_PICTURE_BYTES,
      }),
    );
  // Makers keep web users apart from ONVIF's, so what was refused or taken here says nothing of the other.
  const place = `${url.host}:picture`;
  let reply = await get(null);
  if (reply.status === 401) {
    if (login === null) throw passwordNeeded(url.hostname);
    if (!network.ledger.mayTry(place, login)) throw alreadyRefused(url.hostname);
    const challenges = parseChallenges(reply.challenges);
    const digest = bestDigest(challenges);
    if (digest === null && !(allowBasic && challenges.some((challenge) => challenge.scheme === 'basic'))) throw wrongPassword(url.hostname, 'no login offered that may be used');
    reply = await get(
      digest === null
        ? basicAuthorization(login)
        : digestAuthorization(digest, login, { method: 'GET', uri: `${url.pathname}${url.search}`, body: new Uint8Array(), nonceCount: 1, clientNonce: randomBytes(8).toString('hex') }),
    );
    if (reply.status === 401) {
      network.ledger.refused(place, login);
      throw wrongPassword(url.hostname);
    }
    network.ledger.accepted(place, login);
  }
  if (reply.status !== 200 || !isJpeg(reply.bytes)) throw new PorchlightError('bad-answer', `The camera at ${url.hostname} gave no picture.`, `HTTP ${reply.status} ${reply.contentType}`);
  return reply.bytes;
}

/** SOI marker, then another marker (ITU-T T.81). */
export function isJpeg(bytes: Uint8Array): boolean {
  return bytes.length > 4 && bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}
