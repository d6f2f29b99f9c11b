/** Calls a home that offers to pair, over the relays its offer names, and keeps what it hands over (docs/design/relay.md, "Keys and pairing"). */
import type { InputOf } from '../../shared/contract/engine-api.ts';
import { PorchlightError } from '../../shared/errors.ts';
import type { RemoteHome } from '../../shared/model/remote.ts';
import { pairingKeysOfWords, pairRoute } from '../../shared/relay/derive.ts';
import { pairWithHome, type PairWithHomeOptions } from '../../shared/relay/pairing-talk.ts';
import { orderRelays } from '../../shared/relay/rendezvous.ts';
import { utf8 } from '../api/utf8.ts';
import { asSentence } from './connect-to-home.ts';
import type { Offer } from './read-offer.ts';
import { type Dialled, dialRelay } from './relay-dial.ts';
import { webSuite } from './web-suite.ts';

export interface PairRequest {
  readonly offer: Offer;
  /** What this computer is called there. */
  readonly deviceName: string;
  /** Ends it, whatever it waits for. */
  readonly signal: AbortSignal;
  readonly onDigits: (digits: string) => void;
  /** Durable when it resolves. */
  readonly keep: (home: InputOf<'homes.add'>) => Promise<RemoteHome>;
}

interface Way {
  readonly relays: readonly string[];
  readonly token: Uint8Array;
  readonly offer: PairWithHomeOptions['offer'];
}

/** Resolves with the home once both ends have kept their keys. Rejects with a sentence in a PorchlightError. */
export async function pairOver(request: PairRequest): Promise<RemoteHome> {
  try {
    return await callAndPair(request);
  } catch (error) {
    throw asSentence(error);
  }
}

async function callAndPair({ offer, deviceName, signal, onDigits, keep }: PairRequest): Promise<RemoteHome> {
  const way = await wayOf(offer);
  const { wire, sessionKey } = await dialAny(way, signal);
  const kept: { home: RemoteHome | null } = { home: null };
  const stop = (): void => wire.close('over');
  signal.addEventListener('abort', stop);
  try {
    await pairWithHome({
      suite: webSuite,
      text: utf8,
      wire,
      sessionKey,
      token: way.token,
      offer: way.offer,
      deviceName,
      onDigits,
      keep: async ({ homeName, relays, keys }) => {
        const bytes = new TextEncoder().encode(JSON.stringify(keys));
        kept.home = await keep({ name: homeName, relays: [...relays], bytes });
        bytes.fill(0);
      },
    });
  } catch (error) {
    if (kept.home === null) throw error;
    throw new PorchlightError('connection-lost', 'The keys are kept here, but the home did not say that it kept its own. If looking in does not work, forget it here and pair again.', error);
  } finally {
    signal.removeEventListener('abort', stop);
  }
  if (kept.home === null) throw new PorchlightError('bad-answer', 'The home handed nothing over. Begin again with a new code.');
  return kept.home;
}

async function wayOf(offer: Offer): Promise<Way> {
  if (offer.kind === 'code') {
    const { relays, token, homePublicKey, secret } = offer.code;
    return { relays, token, offer: { kind: 'code', homePublicKey, secret } };
  }
  const { token, psk } = await pairingKeysOfWords(webSuite, offer.entropy);
  return { relays: offer.relays, token, offer: { kind: 'words', psk } };
}

/** The first relay that the home waits at. */
async function dialAny({ relays, token }: Way, signal: AbortSignal): Promise<Dialled> {
  const route = await pairRoute(webSuite, token);
  let told: PorchlightError | null = null;
  for (const relay of await orderRelays(webSuite, relays, route)) {
    try {
      return await dialRelay({ relay, route, token, signal });
    } catch (error) {
      if (!(error instanceof PorchlightError)) throw error;
      if (error.kind === 'cancelled') throw error;
      if (told === null || error.kind !== 'unreachable') told = error;
    }
  }
  if (told?.kind === 'not-found') throw new PorchlightError('not-found', 'No home waits with this offer: it lasts five minutes, serves one device, and ends when it is closed there. Ask for a new one.', told);
  throw told ?? new PorchlightError('invalid-input', 'The offer names no relay.');
}
