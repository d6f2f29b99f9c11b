/** Opens a session with another home over one of its relays: the Channel its EngineClient speaks through (docs/design/relay.md). */
import { PorchlightError } from '../../shared/errors.ts';
import type { Channel } from '../../shared/contract/channel.ts';
import type { RemoteHome, RemoteHomeKeys } from '../../shared/model/remote.ts';
import { fromBase64url, toHex } from '../../shared/relay/bytes.ts';
import { ringToken, routeOf, utcDayOf } from '../../shared/relay/derive.ts';
import { orderRelays } from '../../shared/relay/rendezvous.ts';
import type { ViewerSession } from '../../shared/relay/session-types.ts';
import { openSession } from '../../shared/relay/session-viewer.ts';
import { DAY_MS, type EpochMs, HOUR_MS } from '../../shared/time.ts';
import type { EngineClient } from '../api/engine-client.ts';
import { utf8 } from '../api/utf8.ts';
import type { HomeLine } from './home-line.ts';
import { pageClock } from './page-clock.ts';
import { dialRelay } from './relay-dial.ts';
import { webSuite } from './web-suite.ts';

const RETRY_BASE_MS = 500;
const RETRY_CEILING_MS = 15_000;
/** For the first minute or so, two seconds each on average: a home that follows its relay to another process is back within half a minute, and whoever looks in should be there soon after. */
const EARLY_CEILING_MS = 4_000;
const EARLY_ATTEMPTS = 30;

/** Full jitter below a growing ceiling, so that all who looked in do not come back at once. `attempt` counts from 1. */
export function retryHomeMs(attempt: number): number {
  const ceilingMs = attempt <= EARLY_ATTEMPTS ? EARLY_CEILING_MS : RETRY_CEILING_MS;
  return Math.random() * Math.min(ceilingMs, RETRY_BASE_MS * 2 ** Math.min(attempt - 1, 10));
}

/** What of this computer's engine is asked. */
type OwnEngine = Pick<EngineClient, 'ask'>;

interface Keys {
  readonly homePublicKey: Uint8Array;
  readonly devicePrivateKey: Uint8Array;
  readonly psk: Uint8Array;
  readonly ringSeed: Uint8Array;
  readonly routeSeed: Uint8Array;
}

/** The days to try: that of the clock, then the one that is nearer to it, because either end's clock may be off. */
export function daysToTry(nowMs: EpochMs): readonly string[] {
  const isMorning = nowMs % DAY_MS < 12 * HOUR_MS;
  return [utcDayOf(nowMs), utcDayOf(nowMs + (isMorning ? -DAY_MS : DAY_MS))];
}

/** Tries relays and days in turn; tells the line what became of it. Rejects with a PorchlightError that says why there is no session. */
export async function connectToHome(homeId: string, own: OwnEngine, line: HomeLine): Promise<Channel> {
  const held: { keys: Keys | null } = { keys: null };
  const wipe = (): void => {
    for (const key of Object.values(held.keys ?? {}) as Uint8Array[]) key.fill(0);
  };
  try {
    const home = (await own.ask('homes.list', {})).find(({ id }) => id === homeId);
    if (home === undefined) throw new PorchlightError('not-found', 'This computer may not look into that home any more.');
    held.keys = readKeys((await own.ask('homes.keys', { homeId })).bytes);
    const session = await openOver(home, held.keys, own);
    checkLog(home, session, own, line);
    line.open(session.freshness);
    session.onClose((reason) => {
      line.end(reason);
      wipe();
    });
    return session;
  } catch (error) {
    wipe();
    const told = asSentence(error);
    line.end(told.message);
    throw told;
  }
}

/** What a browser that cannot seal says is for programmers. */
export function asSentence(error: unknown): PorchlightError {
  if (error instanceof PorchlightError) return error;
  if (globalThis.crypto?.subtle === undefined) return new PorchlightError('not-allowed', 'This browser can look into another home only from an address that begins with https://, or on the computer itself.', error);
  if (error instanceof DOMException && error.name === 'NotSupportedError') return new PorchlightError('not-allowed', 'This browser is too old to look into another home: it does not know the keys that are used. Update it.', error);
  return new PorchlightError('connection-lost', 'The line to that home could not be opened.', error);
}

async function openOver(home: RemoteHome, keys: Keys, own: OwnEngine): Promise<ViewerSession> {
  const device = await webSuite.importKeyPair(keys.devicePrivateKey);
  keys.devicePrivateKey.fill(0);
  let told: Error | null = null;
  for (const day of daysToTry(Date.now())) {
    const [route, token] = await Promise.all([routeOf(webSuite, keys.routeSeed, day), ringToken(webSuite, keys.ringSeed, day)]);
    for (const relay of await orderRelays(webSuite, home.relays, route)) {
      try {
        const { wire, sessionKey } = await dialRelay({ relay, route, token });
        const { stampMs } = await own.ask('homes.stamp', { homeId: home.id });
        return await openSession({ suite: webSuite, text: utf8, wire, token, sessionKey, own: device, homePublicKey: keys.homePublicKey, psk: keys.psk, stampMs, clock: pageClock, ...(home.evenMbit === undefined ? {} : { constantBytesPerS: (home.evenMbit * 1_000_000) / 8 }) });
      } catch (error) {
        // What the home's own relay said of the home tells more than that another one is not there.
        if (told === null || !(error instanceof PorchlightError && error.kind === 'unreachable')) told = error instanceof Error ? error : new Error(String(error));
      }
    }
  }
  throw told ?? new PorchlightError('invalid-input', 'No relay of that home is known. Pair with it again.');
}

/** The JSON's bytes are wiped; the keys are copies. */
function readKeys(bytes: Uint8Array): Keys {
  const json = JSON.parse(utf8.decode(bytes)) as RemoteHomeKeys;
  bytes.fill(0);
  const read = (text: string): Uint8Array => {
    const key = fromBase64url(text);
    if (key === null) throw new PorchlightError('internal', 'The keys to that home cannot be read. Pair with it again.');
    return key;
  };
  return { homePublicKey: read(json.homePublicKey), devicePrivateKey: read(json.devicePrivateKey), psk: read(json.psk), ringSeed: read(json.ringSeed), routeSeed: read(json.routeSeed) };
}

/** The home's log of views only ever grows: a shorter one, or another of the same length, is not the one that was seen. */
function checkLog(home: RemoteHome, { logHead }: Pick<ViewerSession, 'logHead'>, own: OwnEngine, line: HomeLine): void {
  const headHex = toHex(logHead.head);
  if (continues(home.logHead, { length: logHead.length, headHex })) own.ask('homes.sawLog', { homeId: home.id, length: logHead.length, headHex }).catch(() => undefined);
  else line.warn('The log of who watched at that home is not the one this computer saw before: entries were taken out of it or changed. Ask the people there.');
}

/** Whether a log may be a later state of the one that was seen. */
export function continues(seen: RemoteHome['logHead'], now: { readonly length: number; readonly headHex: string }): boolean {
  return seen === null || now.length > seen.length || (now.length === seen.length && now.headHex === seen.headHex);
}
