/** Dials a relay and waits until the other end is there: from then on the socket is a Wire (docs/design/relay.md, "The wire to the relay"). */
import { isRelayAddress } from '../../shared/contract/page-policy.ts';
import { PorchlightError } from '../../shared/errors.ts';
import { toBase64url } from '../../shared/relay/bytes.ts';
import { CLOSE_CODES, decodeRelayMessage, encodeHello } from '../../shared/relay/protocol.ts';
import type { Wire } from '../../shared/relay/wire.ts';

export interface DialOptions {
  /** `wss://host[:port][/path]`. */
  readonly relay: string;
  /** 16 bytes: where the home is found that day, or an offer to pair. */
  readonly route: Uint8Array;
  /** 16 bytes: the ring token of the day, or the pairing token. */
  readonly token: Uint8Array;
  readonly signal?: AbortSignal;
}

export interface Dialled {
  readonly wire: Wire;
  /** 32 bytes that this relay drew for this session. */
  readonly sessionKey: Uint8Array;
}

/** From the first packet to `joined`; the relay itself gives up a home that does not come in less. */
const LONGEST_MS = 12_000;

const CLOSE_WORDS: ReadonlyMap<number, string> = new Map([
  [CLOSE_CODES.protocol, 'The relay speaks another version than this Porchlight. Is one of them out of date?'],
  [CLOSE_CODES.late, 'The home was called and did not come in time.'],
  [CLOSE_CODES.nobody, 'The home does not answer: it is off, its line is down, or this computer may not look in any more.'],
  [CLOSE_CODES.limit, 'The relay takes no more connections at the moment.'],
  [CLOSE_CODES.ended, 'The line to the home ended.'],
  [CLOSE_CODES.restarting, 'The relay is being restarted.'],
]);

/** Rejects with a sentence: `unreachable` where the relay is not there, `not-found` where nobody answers to the token, `connection-lost`, `timeout`, `cancelled`. */
export async function dialRelay({ relay, route, token, signal }: DialOptions): Promise<Dialled> {
  // The page's policy stops any other, without a word that a person could use.
  if (!isRelayAddress(relay)) throw new PorchlightError('unreachable', `The relay ${hostOf(relay)} has no TLS; without it only one on this computer may be used.`);
  const socket = new WebSocket(`${relay.replace(/\/+$/, '')}/v1/${toBase64url(route)}`);
  socket.binaryType = 'arraybuffer';
  return await new Promise((resolve, reject) => {
    let sessionKey: Uint8Array | null = null;
    let opened = false;
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const fail = (kind: 'unreachable' | 'not-found' | 'connection-lost' | 'timeout' | 'cancelled', sentence: string): void => {
      settle();
      socket.onmessage = socket.onclose = null;
      socket.close();
      reject(new PorchlightError(kind, sentence));
    };
    const abort = (): void => fail('cancelled', 'Nobody is waiting for it any more.');
    const timer = setTimeout(() => (opened ? fail('timeout', 'The home was called over its relay and did not answer in time.') : fail('unreachable', `The relay ${hostOf(relay)} does not answer.`)), LONGEST_MS);
    if (signal?.aborted === true) {
      abort();
      return;
    }
    signal?.addEventListener('abort', abort);
    socket.onopen = () => {
      opened = true;
      socket.send(encodeHello({ role: 'viewer', body: token }));
    };
    socket.onclose = ({ code }) => (opened ? fail(code === CLOSE_CODES.nobody ? 'not-found' : 'connection-lost', closeWords(code)) : fail('unreachable', `The relay ${hostOf(relay)} cannot be reached from here.`));
    socket.onmessage = ({ data }) => {
      const message = data instanceof ArrayBuffer ? decodeRelayMessage(new Uint8Array(data)) : null;
      if (message?.type === 'session' && sessionKey === null) sessionKey = message.sessionKey;
      else if (message?.type === 'joined' && sessionKey !== null) {
        settle();
        resolve({ wire: wireOver(socket), sessionKey });
      } else fail('unreachable', `What answers at ${hostOf(relay)} is no relay of this version.`);
    };
  });
}

/** What a close of the socket means, as a sentence. */
export function closeWords(code: number): string {
  return CLOSE_WORDS.get(code) ?? 'The line to the relay ended.';
}

function hostOf(relay: string): string {
  return URL.canParse(relay) ? new URL(relay).host : relay;
}

function wireOver(socket: WebSocket): Wire {
  let listener: ((bytes: Uint8Array) => void) | null = null;
  let early: Uint8Array[] = [];
  let closedBecause: string | null = null;
  const tellClosed: ((reason: string) => void)[] = [];
  const closed = (reason: string): void => {
    if (closedBecause !== null) return;
    closedBecause = reason;
    for (const tell of tellClosed.splice(0)) tell(reason);
  };
  socket.onmessage = ({ data }) => {
    if (!(data instanceof ArrayBuffer)) {
      socket.close();
      closed('The relay sent something that is none of its messages.');
    } else if (listener === null) early.push(new Uint8Array(data));
    else listener(new Uint8Array(data));
  };
  socket.onclose = ({ code }) => closed(closeWords(code));
  return {
    send: (bytes) => {
      if (closedBecause === null && socket.readyState === WebSocket.OPEN) socket.send(bytes as Uint8Array<ArrayBuffer>);
    },
    onMessage: (next) => {
      listener = next;
      for (const bytes of early) next(bytes);
      early = [];
    },
    onClose: (tell) => (closedBecause === null ? void tellClosed.push(tell) : tell(closedBecause)),
    close: (reason) => {
      socket.onmessage = null;
      socket.close(1000);
      closed(reason);
    },
  };
}
