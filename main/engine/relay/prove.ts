/** "Prove it": searches what relays were given, tries every other key on it, and leads a line astray; each with a control that must find something (docs/design/relay.md). */
import type { Channel, ChannelMessage } from '../../../shared/contract/channel.ts';
import type { EngineHead, ParsedViewerHead } from '../../../shared/contract/envelope.ts';
import { decodeFrame, encodeFrame } from '../../../shared/contract/frame.ts';
import { type CameraId, cameraIdFrom } from '../../../shared/model/ids.ts';
import type { Proof } from '../../../shared/model/remote.ts';
import type { AeadKey, CryptoSuite } from '../../../shared/relay/suite.ts';
import { SESSION_KEY_BYTES } from '../../../shared/relay/protocol.ts';
import { SECOND_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { CapturedMessage } from './capture.ts';
import { Gate } from './gate.ts';
import type { RemoteHomeParts } from './home-parts.ts';
import { SessionViews } from './home-views.ts';
import { lineChannel } from './line-channel.ts';
import { utf8 } from './line-text.ts';
import { type Household, homeEnd, type ProofSession, proofSession, ProofWire, splice, throwAwayHousehold, viewerEnd } from './prove-line.ts';
import { countMarked, needlesOf } from './prove-search.ts';

export interface ProveParts extends Pick<RemoteHomeParts, 'names' | 'samplePicture' | 'devices' | 'routeSeed'> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly suite: CryptoSuite;
  /** What relays were given of late. */
  readonly captured: readonly CapturedMessage[];
}

/** A rehearsal takes milliseconds. */
const PATIENCE_MS = 5 * SECOND_MS;
/** Messages of each kind in a rehearsal. */
const ROUNDS = 20;
/** Tries in a row before the engine gets its turn. */
const TRIES_AT_ONCE = 200;
/** Of the real capture, the newest: every key is tried on each. */
const TRIED_CAPTURED = 256;

export async function prove(check: Proof['check'], parts: ProveParts): Promise<Proof> {
  if (check === 'search') return await proveSearch(parts);
  return check === 'keys' ? await proveKeys(parts) : await proveMisroute(parts);
}

/** A small film in the boxes and start codes that the search knows, for a home without a picture yet. */
const FILM = Buffer.from('0000001c66747970' + '69736f6d' + '00000200' + '69736f6d69736f3669736f35' + '000000106d666864' + '0000000000000001' + '0000001067' + '0000000165', 'hex');
const JPEG = Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex');

interface Rehearsal {
  /** As handed to the line by the home, from the answer to the greeting on. */
  readonly sealed: readonly Uint8Array[];
  /** The same messages unsealed. */
  readonly plain: readonly Uint8Array[];
  /** Messages the viewer opened until now. */
  readonly opened: () => number;
}

/** A device looks in over a line in memory: names, previews and a film go through the real gate, seal and session. */
async function rehearse(parts: ProveParts, household: Household): Promise<Rehearsal & { readonly session: ProofSession }> {
  const picture = await parts.samplePicture();
  const session = await proofSession(parts, household);
  const cameraId = picture?.cameraId ?? cameraIdFrom(parts.suite.random(12));
  const plain: Uint8Array[] = [];
  answerAll(parts, session, cameraId, { names: parts.names(), jpeg: picture?.jpeg ?? JPEG });
  const all = Promise.withResolvers<void>();
  session.viewer.onMessage((message) => {
    // As it was before it was sealed: the control searches it.
    plain.push(encodeFrame(message, utf8));
    if (plain.length === 3 * ROUNDS) all.resolve();
  });
  session.viewer.onClose(() => all.resolve());
  for (let round = 0; round < ROUNDS; round += 1) {
    session.viewer.send({ head: { type: 'request', id: 2 * round + 1, name: 'cameras.list', input: {} }, payload: null });
    session.viewer.send({ head: { type: 'request', id: 2 * round + 2, name: 'previews.latest', input: { cameraId } }, payload: null });
    session.viewer.send({ head: { type: 'open', stream: round + 1, name: 'playback', input: { cameraId, stream: 'best', fromMs: 0, seekId: 0 }, credits: 1 }, payload: null });
  }
  await within(parts.clock, all.promise);
  return { session, sealed: [...session.homeWire.sent], plain, opened: () => plain.length };
}

/** Serves the rehearsal as the home serves a device, with answers that name and show what must not be seen. */
function answerAll({ clock, log }: ProveParts, { home: session }: ProofSession, cameraId: CameraId, show: { readonly names: readonly string[]; readonly jpeg: Uint8Array }): void {
  const gate = new Gate({ session, grants: () => ({ cameras: [{ cameraId, rights: ['playback', 'previews', 'sound'] }], untilMs: null }), nowMs: () => clock.nowMs() });
  const views = new SessionViews({ clock, log, device: { id: '', name: '' }, journal: { append: async () => undefined, head: () => ({ length: 0, head: new Uint8Array(32) }) } });
  const channel: Channel = lineChannel({ session, gate, views, log, onWatched: () => undefined });
  const answer = (head: EngineHead, payload: Uint8Array | null = null): void => channel.send({ head, payload });
  channel.onMessage(({ head }) => {
    const asked = head as ParsedViewerHead;
    if (asked.type === 'open') answer({ type: 'chunk', stream: asked.stream, chunk: { kind: 'init', initId: 1 } }, new Uint8Array(FILM));
    else if (asked.type === 'request' && asked.name === 'cameras.list') answer({ type: 'result', id: asked.id, value: show.names.map((name) => ({ camera: { id: cameraId, name } })) });
    else if (asked.type === 'request') answer({ type: 'result', id: asked.id, value: { item: { atMs: 0, offsetBytes: 0, sizeBytes: show.jpeg.length } } }, show.jpeg);
  });
}

async function proveSearch(parts: ProveParts): Promise<Proof> {
  const needles = needlesOf(parts.names());
  const { session, sealed, plain, opened } = await rehearse(parts, await throwAwayHousehold(parts.suite));
  session.viewer.close('the rehearsal is over');
  const given = [...parts.captured.map(({ bytes }) => bytes), ...sealed];
  const hits = countMarked(given, needles);
  const controlHits = countMarked(plain, needles);
  return {
    check: 'search', looked: given.length, hits, controlHits,
    passed: hits === 0 && controlHits > 0 && opened() === 3 * ROUNDS,
    found: hits === 0 ? `Searched ${given.length} messages as a relay gets them for pictures, films and ${parts.names().length} names: found none.` : `Found pictures or names in ${hits} of ${given.length} messages. Switch watching from away off and tell whoever makes Porchlight.`,
    control: controlHits > 0 ? `The same search on the same messages, as the device that may open them has them, found something in ${controlHits} of ${plain.length}.` : 'The search found nothing in unsealed messages either, so it proves nothing.',
  };
}

/** Notes every key that is made of bytes while a session is opened. */
function noting(suite: CryptoSuite): { readonly suite: CryptoSuite; readonly keys: Uint8Array[] } {
  const keys: Uint8Array[] = [];
  return { keys, suite: { ...suite, aeadKey: (key) => (keys.push(new Uint8Array(key)), suite.aeadKey(key)) } };
}

async function proveKeys(parts: ProveParts): Promise<Proof> {
  const [mine, strangers] = [noting(parts.suite), noting(parts.suite)];
  const rehearsal = await rehearse({ ...parts, suite: mine.suite }, await throwAwayHousehold(parts.suite));
  const other = await rehearse({ ...parts, suite: strangers.suite }, await throwAwayHousehold(parts.suite));
  rehearsal.session.viewer.close('the rehearsal is over');
  other.session.viewer.close('the rehearsal is over');
  // Behind the answer to the greeting, each record has the next counter.
  const records = rehearsal.sealed.slice(1);
  const right = await rightKeyOf(parts.suite, mine.keys, records);
  const atHand = [...strangers.keys, parts.routeSeed, ...parts.devices.list().flatMap(({ psk, ringSeed, publicKey }) => [psk, ringSeed, publicKey])];
  const wrong = await Promise.all([...new Map(atHand.map((key) => [Buffer.from(key).toString('hex'), key])).values()].map(async (key) => await parts.suite.aeadKey(key)));
  const captured = parts.captured.slice(-TRIED_CAPTURED).map(({ bytes }) => bytes);
  const hits = (await countOpened(parts.clock, records, wrong)) + (await countOpened(parts.clock, captured, right === null ? wrong : [...wrong, right]));
  const controlHits = right === null ? 0 : await countOpened(parts.clock, records, [right]);
  for (const key of [...mine.keys, ...strangers.keys]) key.fill(0);
  for (const key of wrong) key.wipe();
  right?.wipe();
  const looked = records.length + captured.length;
  return {
    check: 'keys', looked, hits, controlHits,
    passed: hits === 0 && controlHits === records.length && records.length > 0,
    found: hits === 0 ? `Tried ${wrong.length} keys of other devices, other sessions and this home on ${looked} messages: none opened.` : `A key that should not opened ${hits} of ${looked} messages. Switch watching from away off and tell whoever makes Porchlight.`,
    control: controlHits > 0 ? `The right key opened ${controlHits} of ${records.length} messages of a rehearsal.` : 'The right key opened nothing either, so this proves nothing.',
  };
}

/** The key among those that were made which opens the first record. */
async function rightKeyOf(suite: CryptoSuite, keys: readonly Uint8Array[], records: readonly Uint8Array[]): Promise<AeadKey | null> {
  for (const bytes of keys) {
    const key = await suite.aeadKey(bytes);
    if (await opens(key, 0n, records[0] ?? new Uint8Array(0))) return key;
    key.wipe();
  }
  return null;
}

async function opens(key: AeadKey, counter: bigint, sealed: Uint8Array): Promise<boolean> {
  try {
    await key.open(counter, new Uint8Array(0), sealed);
    return true;
  } catch {
    return false;
  }
}

async function countOpened(clock: Clock, records: readonly Uint8Array[], keys: readonly AeadKey[]): Promise<number> {
  let opened = 0;
  let tries = 0;
  for (const [at, record] of records.entries()) {
    for (const key of keys) {
      if (await opens(key, BigInt(at), record)) opened += 1;
      tries += 1;
      if (tries % TRIES_AT_ONCE === 0) await clock.sleep(1);
    }
  }
  return opened;
}

async function proveMisroute(parts: ProveParts): Promise<Proof> {
  const [mine, strangers] = [await throwAwayHousehold(parts.suite), await throwAwayHousehold(parts.suite)];
  const greeting = await greetStranger(parts, mine, strangers);
  const [own, foreign] = [await rehearse(parts, mine), await rehearse(parts, strangers)];
  const ownFrames = own.opened();
  const blank = Promise.withResolvers<string>();
  own.session.viewer.onClose((reason) => blank.resolve(reason));
  // From here on, what the stranger's home sends ends up at our viewer.
  const foreignRecords = foreign.sealed.slice(1);
  for (const record of foreignRecords) own.session.viewerWire.receive(record);
  const reason = await within(parts.clock, blank.promise);
  const hits = own.opened() - ownFrames + (greeting.opened ? 1 : 0);
  foreign.session.viewer.close('the rehearsal is over');
  own.session.viewer.close('the rehearsal is over');
  const controlHits = foreign.plain.filter(isReadable).length;
  const isBlank = hits === 0 && reason !== null;
  return {
    check: 'misroute', looked: foreignRecords.length + 1, hits, controlHits,
    passed: isBlank && ownFrames === 3 * ROUNDS && controlHits > 0,
    found: isBlank
      ? `A viewer was joined to a stranger's home, once from the start and once while it watched. It showed none of ${foreignRecords.length} messages and went blank, saying: “${greeting.reason}” and “${reason}”`
      : 'A viewer that was joined to a stranger’s home did not go blank as it must. Switch watching from away off and tell whoever makes Porchlight.',
    control: controlHits > 0 ? `Without sealing, the same mix-up shows ${controlHits} messages of the stranger's home. Of its own home, the viewer opened all ${ownFrames}.` : 'Without sealing, the mix-up showed nothing either, so this proves nothing.',
  };
}

/** A viewer whose greeting ends up at a stranger's home. */
async function greetStranger(parts: ProveParts, mine: Household, strangers: Household): Promise<{ readonly opened: boolean; readonly reason: string }> {
  const [homeWire, viewerWire] = [new ProofWire(), new ProofWire()];
  splice(homeWire, viewerWire);
  const sessionKey = parts.suite.random(SESSION_KEY_BYTES);
  const [home, viewer] = await Promise.allSettled([homeEnd(parts, strangers, homeWire, sessionKey), viewerEnd(parts, mine, viewerWire, sessionKey)]);
  for (const end of [home, viewer]) if (end.status === 'fulfilled') end.value.close('the rehearsal is over');
  return viewer.status === 'fulfilled' ? { opened: true, reason: '' } : { opened: false, reason: viewer.reason instanceof Error ? viewer.reason.message : String(viewer.reason) };
}

function isReadable(frame: Uint8Array): boolean {
  try {
    return (decodeFrame(frame, utf8) as ChannelMessage).head !== null;
  } catch {
    return false;
  }
}

/** Null where it takes longer than it ever should. */
async function within<T>(clock: Clock, wanted: Promise<T>): Promise<T | null> {
  const late = Promise.withResolvers<null>();
  const cancel = clock.after(PATIENCE_MS, () => late.resolve(null));
  try {
    return await Promise.race([wanted, late.promise]);
  } finally {
    cancel();
  }
}
