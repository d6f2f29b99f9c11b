/** One WebSocket to a relay: TLS verified, binary messages, what goes wrong as a sentence (docs/design/relay.md, "The wire to the relay"). */
import { isIP } from 'node:net';
import { WebSocket } from 'ws';
import { PorchlightError } from '../../../shared/errors.ts';
import { toBase64url } from '../../../shared/relay/bytes.ts';
import { CLOSE_CODES, encodeHello, decodeRelayMessage, type Hello, MAX_MESSAGE_BYTES, type RelayMessage } from '../../../shared/relay/protocol.ts';
import type { Wire } from '../../../shared/relay/wire.ts';
import type { DurationMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';

/** TCP, TLS and the WebSocket's own greeting together. */
const OPEN_MS: DurationMs = 10_000;
/** A relay pings each half minute; a socket that hears nothing for longer than two of them is dead. */
const LOOK_MS: DurationMs = 35_000;

/** Messages nobody has read yet; a burst of rings is far smaller. */
const MOST_EARLY = 256;

/** Sees every message as it is handed to the relay's socket, and as it comes from there. */
export type Tap = (direction: 'out' | 'in', bytes: Uint8Array) => void;

export interface DialParts {
  readonly clock: Pick<Clock, 'after' | 'every'>;
  readonly tap: Tap;
}

export interface RelayAddress {
  /** As listed: `wss://host[:port][/path]`, or `ws://` to this computer. */
  readonly url: string;
  /** 16 bytes. */
  readonly route: Uint8Array;
}

/** What a client of the relay has of its socket after its hello. */
export interface RelaySocket extends Wire {
  /** The relay's own words up to `joined`, one by one; rejects when the socket closes first, or says something else. */
  next(signal: AbortSignal): Promise<RelayMessage>;
}

/** Why a relay may not be dialled, for a person; null where it may. */
export function relayUrlProblem(url: string): string | null {
  if (!URL.canParse(url)) return 'This is no address of a relay. It looks like wss://relay.example.org.';
  const { protocol, hostname, username, search, hash } = new URL(url);
  if (username !== '' || search !== '' || hash !== '') return 'The address of a relay has no name, question mark or number sign in it.';
  if (protocol === 'wss:') return null;
  if (protocol === 'ws:' && isThisComputer(hostname)) return null;
  return protocol === 'ws:' ? 'A relay elsewhere needs an address that begins with wss://, so that nobody on the way sees which home is meant.' : 'The address of a relay begins with wss://.';
}

function isThisComputer(hostname: string): boolean {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/** Connects and says hello. Rejects with a PorchlightError whose sentence says what is wrong; `cancelled` when the signal came. */
export async function dialRelay(parts: DialParts, { url, route }: RelayAddress, hello: Hello, signal: AbortSignal): Promise<RelaySocket> {
  const problem = relayUrlProblem(url);
  if (problem !== null) throw new PorchlightError('invalid-input', problem);
  const socket = new WebSocket(`${url.replace(/\/+$/, '')}/v1/${toBase64url(route)}`, {
    ...{ perMessageDeflate: false, maxPayload: MAX_MESSAGE_BYTES, handshakeTimeout: OPEN_MS, followRedirects: false, rejectUnauthorized: true },
  });
  socket.binaryType = 'nodebuffer';
  const opened = new OpenSocket(socket, parts);
  await opened.ready(signal);
  opened.send(encodeHello(hello));
  return opened;
}

class OpenSocket implements RelaySocket {
  readonly #socket: WebSocket;
  readonly #tap: Tap;
  #listener: ((bytes: Uint8Array) => void) | null = null;
  #early: Uint8Array[] = [];
  #wake: () => void = () => undefined;
  #closeReason: string | null = null;
  #closeListeners: ((reason: string) => void)[] = [];
  #failure: unknown = null;
  #heard = true;
  readonly #stopLooking: () => void;

  constructor(socket: WebSocket, { clock, tap }: DialParts) {
    this.#socket = socket;
    this.#tap = tap;
    this.#stopLooking = clock.every(LOOK_MS, () => this.#look());
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary));
    socket.on('ping', () => (this.#heard = true));
    socket.on('pong', () => (this.#heard = true));
    socket.on('unexpected-response', (_request, response) => {
      this.#failure = new PorchlightError('unreachable', answerSentence(response.statusCode ?? 0));
      response.resume();
      socket.terminate();
    });
    socket.on('error', (error) => (this.#failure ??= error));
    socket.on('close', (code, reason) => this.#closed(closeSentence(code, reason.toString('utf8'))));
  }

  async ready(signal: AbortSignal): Promise<void> {
    const abort = (): void => this.#socket.terminate();
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    try {
      await new Promise<void>((resolve, reject) => {
        this.#socket.once('open', resolve);
        this.onClose((reason) => reject(this.#error(signal, reason)));
      });
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async next(signal: AbortSignal): Promise<RelayMessage> {
    const abort = (): void => this.close('nobody waits any more');
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    try {
      for (;;) {
        const bytes = this.#early.shift();
        if (bytes !== undefined) {
          const message = decodeRelayMessage(bytes);
          if (message !== null) return message;
          this.close('a message that is none of a relay');
        }
        if (this.#closeReason !== null) throw this.#error(signal, this.#closeReason);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  send(bytes: Uint8Array): void {
    if (this.#closeReason !== null || this.#socket.readyState !== WebSocket.OPEN) return;
    this.#tap('out', bytes);
    this.#socket.send(bytes, { binary: true, compress: false });
  }

  onMessage(listener: (bytes: Uint8Array) => void): void {
    this.#listener = listener;
    for (const bytes of this.#early.splice(0)) listener(bytes);
  }

  onClose(listener: (reason: string) => void): void {
    if (this.#closeReason === null) this.#closeListeners.push(listener);
    else listener(this.#closeReason);
  }

  close(reason: string): void {
    if (this.#closeReason !== null) return;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.close(1000);
    else this.#socket.terminate();
    this.#closed(reason);
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#closeReason !== null) return;
    this.#heard = true;
    if (!isBinary) {
      this.close('The relay sent something that is not Porchlight.');
      return;
    }
    // A view of a pool would change under whoever keeps it.
    const bytes = new Uint8Array(data);
    this.#tap('in', bytes);
    if (this.#listener === null && this.#early.length >= MOST_EARLY) this.close('The relay sent too much at once.');
    else if (this.#listener === null) {
      this.#early.push(bytes);
      this.#wake();
    } else this.#listener(bytes);
  }

  #look(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (!this.#heard) {
      this.#socket.terminate();
      this.#closed('Nothing was heard of the relay for more than half a minute.');
      return;
    }
    this.#heard = false;
    this.#socket.ping();
  }

  #closed(reason: string): void {
    if (this.#closeReason !== null) return;
    this.#closeReason = reason;
    this.#stopLooking();
    this.#wake();
    for (const tell of this.#closeListeners.splice(0)) tell(reason);
  }

  #error(signal: AbortSignal, reason: string): PorchlightError {
    if (signal.aborted) return new PorchlightError('cancelled', 'It was called off.');
    if (this.#failure instanceof PorchlightError) return this.#failure;
    return this.#failure === null ? new PorchlightError('connection-lost', reason) : new PorchlightError('unreachable', failureSentence(this.#failure), this.#failure);
  }
}

function answerSentence(status: number): string {
  if (status === 429) return 'The relay takes no more connections from this address for the moment.';
  if (status === 503) return 'The relay is about to restart.';
  return `There is no Porchlight relay at this address (it answered ${status}).`;
}

const CLOSE_SENTENCES: Readonly<Record<number, string>> = {
  [CLOSE_CODES.protocol]: 'The relay is of another version than this Porchlight.',
  [CLOSE_CODES.late]: 'The other side did not come in time.',
  [CLOSE_CODES.nobody]: 'Nobody waits at the relay any more.',
  [CLOSE_CODES.limit]: 'The relay takes no more connections from this home for the moment.',
  [CLOSE_CODES.ended]: 'The other side is gone.',
  [CLOSE_CODES.restarting]: 'The relay restarts.',
};

function closeSentence(code: number, word: string): string {
  return CLOSE_SENTENCES[code] ?? (word === '' ? 'The connection to the relay was lost.' : `The relay closed the connection (${word.slice(0, 60)}).`);
}

const CERTIFICATE_CODES = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ALTNAME/;

function failureSentence(failure: unknown): string {
  const code = typeof failure === 'object' && failure !== null && 'code' in failure ? String(failure.code) : '';
  if (CERTIFICATE_CODES.test(code)) return 'The relay cannot prove that it is the one with this address: its certificate is not valid. Nothing was sent to it.';
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'The name of the relay cannot be found. Is this computer online, and the address right?';
    case 'ECONNREFUSED':
      return 'Nobody answers at the address of the relay. Is it running?';
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'The relay cannot be reached. Is this computer online?';
    default:
      return 'The connection to the relay failed.';
  }
}
