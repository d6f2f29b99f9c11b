/** Real homes and real viewers of the drill, and what the viewers were shown. */
import { utf8 } from '../../main/engine/rpc/channels/text-codec.ts';
import { encodeFrame } from '../../shared/contract/frame.ts';
import { sameBytes } from '../../shared/relay/bytes.ts';
import { freshnessLevel, type FreshnessLevel } from '../../shared/relay/freshness.ts';
import { acceptSession } from '../../shared/relay/session-home.ts';
import type { HomeSession, ViewerSession } from '../../shared/relay/session-types.ts';
import { openSession } from '../../shared/relay/session-viewer.ts';
import type { CryptoSuite } from '../../shared/relay/suite.ts';
import { forceUnwrap } from '../../shared/result.ts';
import type { DrillRelay, Joined } from './drill-relay.ts';
import { type DrillCamera, type Household, pictureOf, readPicture } from './households.ts';
import type { Ledger } from './ledger.ts';

/** The stream every viewer opens for its first camera. */
const STREAM = 1;
/** Hundreds begin at once on a machine that may be busy; nothing in the drill waits for these to pass. */
const LIMITS = { handshakeMs: 60_000, silenceMs: 60_000 } as const;
const HANDSHAKE_LIMIT_MS = 70_000;

/** One end of the drill: a session, or why there is none. */
interface End<Session> {
  session: Session | null;
  /** Why no session came to be. */
  refused: string | null;
  /** Why it ended. */
  closed: string | null;
}

export interface Pair {
  readonly household: Household;
  readonly home: End<HomeSession>;
  readonly viewer: End<ViewerSession>;
  /** Pictures the viewer was given of its own home's camera that it asked for. */
  own: number;
  /** Any others. */
  foreign: number;
  /** Messages the home was given, whatever they said. */
  asked: number;
}

export interface Parties {
  readonly relay: DrillRelay;
  readonly ledger: Ledger;
  /** The viewers' cryptography in place of the real one, for tests that show the drill finds a broken one. */
  readonly viewerSuite?: CryptoSuite;
}

function accept({ relay, ledger }: Parties, { household, sessionKey, home }: Joined): Promise<HomeSession> {
  return acceptSession({
    suite: ledger.suiteOf(household.index, 'home'),
    text: utf8,
    wire: home,
    token: household.token,
    sessionKey,
    own: household.home,
    clock: relay.clock,
    findDevice: (publicKey) => Promise.resolve(sameBytes(publicKey, household.device.publicKey) ? { psk: household.psk } : null),
    acceptStamp: (stampMs) => {
      const isNew = stampMs > household.highestStampMs;
      if (isNew) household.highestStampMs = stampMs;
      return Promise.resolve(isNew);
    },
    logHead: () => ({ length: 0, head: new Uint8Array(32) }),
    wallMs: () => relay.clock.nowMs(),
    limits: LIMITS,
  });
}

function look({ relay, ledger, viewerSuite }: Parties, { household, sessionKey, viewer }: Joined): Promise<ViewerSession> {
  const stampMs = household.stampMs;
  household.stampMs += 1;
  return openSession({
    suite: ledger.suiteOf(household.index, 'viewer', viewerSuite),
    text: utf8,
    wire: viewer,
    token: household.token,
    sessionKey,
    own: household.device,
    homePublicKey: household.home.publicKey,
    psk: household.psk,
    stampMs,
    clock: relay.clock,
    limits: LIMITS,
  });
}

/** Settles an end when its promise does; `settled` tells how many have. */
function watchEnd<Session extends { onClose(listener: (reason: string) => void): void }>(promise: Promise<Session>, end: End<Session>, onSession: (session: Session) => void): void {
  promise.then(
    (session) => {
      end.session = session;
      session.onClose((reason) => (end.closed = reason));
      onSession(session);
    },
    (error: unknown) => {
      end.refused = error instanceof Error ? error.message : String(error);
    },
  );
}

/** Begins a session over each pair of wires and waits until each end has one or was refused; viewers ask for their camera at once. */
export async function beginSessions(parties: Parties, joined: readonly Joined[]): Promise<readonly Pair[]> {
  const pairs = joined.map((each): Pair => {
    const { household } = each;
    const pair: Pair = { household, home: { session: null, refused: null, closed: null }, viewer: { session: null, refused: null, closed: null }, own: 0, foreign: 0, asked: 0 };
    watchEnd(accept(parties, each), pair.home, (session) => session.onMessage(() => (pair.asked += 1)));
    watchEnd(look(parties, each), pair.viewer, (session) => {
      session.onMessage(({ payload }) => {
        const shown = payload === null ? null : readPicture(payload);
        if (shown === null) return;
        if (shown.household === household.index && shown.camera === household.cameras[0].id) pair.own += 1;
        else pair.foreign += 1;
      });
      session.send({ head: { type: 'open', stream: STREAM, name: 'live', input: { cameraId: household.cameras[0].id, stream: 'main' }, credits: 8 }, payload: null });
    });
    return pair;
  });
  const isSettled = ({ session, refused }: End<unknown>): boolean => session !== null || refused !== null;
  await parties.relay.until(() => pairs.every(({ home, viewer }) => isSettled(home) && isSettled(viewer)), HANDSHAKE_LIMIT_MS);
  return pairs;
}

/** Sessions over an honest line, whose homes were asked for a camera. Throws where one did not come to be. */
export async function honestSessions(parties: Parties, joined: readonly Joined[]): Promise<readonly Pair[]> {
  const pairs = await beginSessions(parties, joined);
  const ready = await parties.relay.until(() => pairs.every(({ home, viewer, asked }) => home.session !== null && viewer.session !== null && asked > 0), HANDSHAKE_LIMIT_MS);
  if (ready) return pairs;
  const failed = forceUnwrap('one of them is not there', pairs.find(({ home, viewer, asked }) => home.session === null || viewer.session === null || asked === 0));
  const { home, viewer } = failed;
  throw new Error(`an honest session did not come to be: home ${home.refused ?? home.closed ?? 'fine'}, viewer ${viewer.refused ?? viewer.closed ?? 'fine'}`);
}

/** A picture as a frame of the contract, on the stream every viewer opened. */
export function pictureFrame(household: Household, camera: DrillCamera, number: number): Uint8Array {
  return encodeFrame({ head: { type: 'chunk', stream: STREAM, chunk: { kind: 'media', keyframe: true, startMs: 1, endMs: 2 } }, payload: pictureOf(household.index, camera.id, number) }, utf8);
}

/** The home seals a picture of one of its cameras. */
export function sendPicture({ household, home }: Pair, number: number, camera: DrillCamera = household.cameras[0]): void {
  home.session?.sendSealed({ lane: { kind: 'live', stream: STREAM }, camera: camera.number, ptsMs: 0, frame: pictureFrame(household, camera, number) });
}

/** The viewer asks something. */
export function sendQuestion({ viewer }: Pair, id: number): void {
  viewer.session?.send({ head: { type: 'request', id, name: 'cameras.list', input: {} }, payload: null });
}

/** What the viewer's picture looks like: blank also when there is no session any more. */
export function levelOf({ viewer }: Pair): FreshnessLevel {
  return viewer.session === null ? 'blank' : freshnessLevel(viewer.session.freshness.ageMs());
}

/** Ends both ends, so that no timer is left. */
export function endSessions(pairs: readonly Pair[]): void {
  for (const { home, viewer } of pairs) {
    viewer.session?.close('the drill is over');
    home.session?.close('the drill is over');
  }
}

export function sum(pairs: readonly Pair[], count: (pair: Pair) => number): number {
  return pairs.reduce((total, pair) => total + count(pair), 0);
}
