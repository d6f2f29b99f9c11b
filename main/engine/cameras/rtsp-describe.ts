/** Asks an RTSP address what it sends, and says in one sentence what is wrong with it when something is (RFC 2326). */
import { randomBytes } from 'node:crypto';
import { PorchlightError } from '../../../shared/errors.ts';
import type { VideoCodec } from '../../../shared/model/camera.ts';
import type { DurationMs } from '../../../shared/time.ts';
import type { DescribedStream } from '../../../shared/model/discovery.ts';
import { type AuthChallenge, basicAuthorization, bestDigest, digestAuthorization, isStale, type Login, parseChallenges, unknownToFfmpeg } from './http-auth.ts';
import { alreadyRefused, passwordNeeded, wrongPassword, type CameraNetwork } from './network.ts';
import { RtspConnection, type RtspReply } from './rtsp-client.ts';
import { parseSdp } from './sdp.ts';

export interface DescribeOptions {
  /** rtsp:// or rtsps:// without user information. */
  readonly url: string;
  readonly login: Login | null;
  /** Basic sends the password readable: only to an address the owner gave. */
  readonly allowBasic: boolean;
  /** Called when the camera asked for the login and took it; one that asks for none proves nothing. */
  readonly onLogin?: () => void;
  /** How long the description is waited for; 8 s where not given. */
  readonly patienceMs?: DurationMs;
}

export interface RecordableStream extends DescribedStream {
  readonly videoCodec: VideoCodec;
}

const MAX_REDIRECTS = 3;
/** As long as the recorder's ffmpeg waits: a server that passes a camera's stream on first connects to the camera, and answers then. */
const DESCRIBE_TIMEOUT_MS: DurationMs = 8000;

/**
 * The tracks an address announces. Redirects are followed; the address stays what it was, for they may change.
 * @throws PorchlightError unreachable, refused, wrong-password, not-found (the path), not-a-camera, timeout, bad-answer.
 */
export async function describeStream(network: CameraNetwork, options: DescribeOptions): Promise<DescribedStream> {
  let url = new URL(options.url);
  const first = url.hostname;
  for (let redirects = 0; ; redirects += 1) {
    // A login goes to the host it was given for, nowhere else.
    const reply = await ask(network, url, url.hostname === first ? options : { ...options, login: null });
    const location = reply.headers.get('location')?.[0];
    if (reply.status >= 300 && reply.status < 400 && location !== undefined && redirects < MAX_REDIRECTS) {
      url = redirected(url, location);
      continue;
    }
    if (reply.status !== 200) throw refusal(reply.status, url.hostname);
    const described = parseSdp(new TextDecoder().decode(reply.body));
    if (described === null) throw new PorchlightError('bad-answer', `The camera at ${url.hostname} did not say what it sends.`, reply.headers.get('content-type')?.[0]);
    return described;
  }
}

/** The same stream, known to be one that can be recorded. @throws PorchlightError no-video or codec-not-supported. */
export function requireRecordable(described: DescribedStream, host: string): RecordableStream {
  const { videoCodec } = described;
  if (videoCodec === null) throw new PorchlightError('no-video', `The address at ${host} works, but it sends no video.`);
  if (videoCodec === 'mjpeg') throw new PorchlightError('codec-not-supported', `The camera at ${host} sends MJPEG here, which Porchlight does not record. Set it to H.264 or H.265 in the camera's own settings, or use its other stream.`);
  if (videoCodec === 'other') throw new PorchlightError('codec-not-supported', `The camera at ${host} sends video in a format Porchlight does not record. Set it to H.264 or H.265 in the camera's own settings.`);
  return { ...described, videoCodec };
}

/** Whether anything speaks RTSP there. @throws PorchlightError as describeStream does. */
export async function speaksRtsp(network: CameraNetwork, url: string): Promise<void> {
  const connection = await RtspConnection.open(network.clock, new URL(url));
  try {
    await connection.request('OPTIONS', new URL(url).href);
  } finally {
    connection.close();
  }
}

/** DESCRIBE, with a login when the camera asks for one; one connection unless the camera closes it in between. */
async function ask(network: CameraNetwork, url: URL, options: DescribeOptions): Promise<RtspReply> {
  const uri = url.href;
  const { login } = options;
  let connection = await RtspConnection.open(network.clock, url);
  // Cameras end the connection after an OPTIONS or a 401 now and then; a question that got no answer is asked once more on a new one.
  const describe = async (headers: Readonly<Record<string, string>>): Promise<RtspReply> => {
    for (let again = !connection.open; ; again = true) {
      if (again) connection = await RtspConnection.open(network.clock, url);
      try {
        return await connection.request('DESCRIBE', uri, { Accept: 'application/sdp', ...headers }, options.patienceMs ?? DESCRIBE_TIMEOUT_MS);
      } catch (error) {
        const closed = error instanceof PorchlightError && error.kind === 'bad-answer' && !connection.open;
        connection.close();
        if (!closed || again) throw error;
      }
    }
  };
  try {
    // What it answers does not matter, that it answers tells RTSP.
    await connection.request('OPTIONS', uri).catch((error: unknown) => {
      if (!(error instanceof PorchlightError) || error.kind !== 'bad-answer') throw error;
      connection.close();
    });
    let reply = await describe({});
    for (let fresh = 0; reply.status === 401; fresh += 1) {
      if (login === null) throw passwordNeeded(url.hostname);
      if (!network.ledger.mayTry(url.host, login)) throw alreadyRefused(url.hostname);
      const challenges = parseChallenges(reply.headers.get('www-authenticate') ?? []);
      const authorization = authorize(challenges, uri, login, options.allowBasic);
      if (authorization === null) throw new PorchlightError('wrong-password', `The camera at ${url.hostname} only takes passwords in a form that anybody on the network could read; none was sent. To use it all the same, add it by its address.`);
      if (reply.headers.get('connection')?.[0]?.toLowerCase() === 'close') connection.close();
      reply = await describe({ Authorization: authorization });
      const nonceTooOld = fresh === 0 && reply.status === 401 && parseChallenges(reply.headers.get('www-authenticate') ?? []).some(isStale);
      if (reply.status === 401 && !nonceTooOld) {
        network.ledger.refused(url.host, login);
        throw wrongPassword(url.hostname);
      }
      if (reply.status === 401) continue;
      network.ledger.accepted(url.host, login);
      options.onLogin?.();
      const unknown = unknownToFfmpeg(challenges);
      if (unknown !== null) throw new PorchlightError('refused', `The camera at ${url.hostname} takes this password, but only in a form (${unknown}) that Porchlight cannot record with. Set the RTSP authentication to digest with MD5 in the camera's own settings.`);
    }
    return reply;
  } finally {
    connection.close();
  }
}

function authorize(challenges: readonly AuthChallenge[], uri: string, login: Login, allowBasic: boolean): string | null {
  const digest = bestDigest(challenges);
  if (digest !== null) return digestAuthorization(digest, login, { method: 'DESCRIBE', uri, body: new Uint8Array(), nonceCount: 1, clientNonce: randomBytes(8).toString('hex') });
  return allowBasic && challenges.some((challenge) => challenge.scheme === 'basic') ? basicAuthorization(login) : null;
}

function redirected(from: URL, location: string): URL {
  try {
    const to = new URL(location, from);
    to.username = '';
    to.password = '';
    if (to.protocol === 'rtsp:' || to.protocol === 'rtsps:') return to;
  } catch {
    // Falls through to the same sentence.
  }
  throw new PorchlightError('bad-answer', `The camera at ${from.hostname} points to another address that is no stream.`);
}

function refusal(status: number, host: string): PorchlightError {
  const cause = `RTSP ${status}`;
  if (status === 404 || status === 400 || status === 451 || status === 454) return new PorchlightError('not-found', `The camera at ${host} answers, but the part of the address after the host is wrong (it knows no such stream).`, cause);
  if (status === 403) return new PorchlightError('refused', `The camera at ${host} does not let this user see this stream.`, cause);
  if (status === 453 || status === 503) return new PorchlightError('refused', `The camera at ${host} has no room for another viewer. Close other apps that watch it, then try again.`, cause);
  return new PorchlightError('bad-answer', `The camera at ${host} refused to describe its stream (answer ${status}).`, cause);
}
