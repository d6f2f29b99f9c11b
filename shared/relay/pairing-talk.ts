/** What a device and a home say to each other in a pairing, inside its own Noise session: both halves, without deciding anything (docs/design/relay.md, "Keys and pairing"). */
import type { TextCodec } from '../contract/frame.ts';
import { PorchlightError } from '../errors.ts';
import type { RemoteHomeKeys } from '../model/remote.ts';
import { forceUnwrap } from '../result.ts';
import { ascii, concat, fromBase64url, sameBytes, toBase64url } from './bytes.ts';
import { sasDigits } from './derive.ts';
import { type CipherState, Handshake } from './noise.ts';
import type { Bytes, CryptoSuite, KeyPair } from './suite.ts';
import type { Wire } from './wire.ts';

const LABEL = ascii('nvr-pair/1');
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const LENGTH_BYTES = 2;
/** Sealed sizes are whole multiples of this. */
const BUCKET_BYTES = 256;
/** Above the longest: a name, five relays and four keys. */
const MOST_BYTES = 16 * BUCKET_BYTES;
const MOST_NAME = 60;
const MOST_EARLY = 8;

/** What the home hands over when it allows the device: 32 bytes each, the relays as they are dialled. */
export interface HandedOver {
  readonly homeName: string;
  readonly relays: readonly string[];
  readonly psk: Uint8Array;
  readonly ringSeed: Uint8Array;
  readonly routeSeed: Uint8Array;
}

type Said =
  | { readonly type: 'device'; readonly name: string; readonly commitment: string }
  | { readonly type: 'nonce'; readonly nonce: string }
  | { readonly type: 'reveal'; readonly nonce: string }
  | { readonly type: 'allowed'; readonly homeName: string; readonly relays: readonly string[]; readonly psk: string; readonly ringSeed: string; readonly routeSeed: string }
  | { readonly type: 'refused' }
  | { readonly type: 'kept' }
  | { readonly type: 'stored' };

interface TalkOptions {
  readonly suite: CryptoSuite;
  readonly text: TextCodec;
  readonly wire: Wire;
  /** 16 bytes: the pairing token. */
  readonly token: Uint8Array;
  /** 32 bytes: what the relay drew. */
  readonly sessionKey: Uint8Array;
}

export interface PairWithHomeOptions extends TalkOptions {
  /** Of a code: its secret and the home's key. Of words: what is derived of them; the home's key comes in the handshake. */
  readonly offer: { readonly kind: 'code'; readonly homePublicKey: Uint8Array; readonly secret: Uint8Array } | { readonly kind: 'words'; readonly psk: Uint8Array };
  readonly deviceName: string;
  /** Both ends show these six digits from now on; the owner compares. */
  onDigits(digits: string): void;
  /** Keeps what was handed over; durable when it resolves. The home stores the device only after that. */
  keep(home: PairedHome): Promise<void>;
}

/** What a pairing leaves at the viewer. */
export interface PairedHome {
  readonly homeName: string;
  readonly relays: readonly string[];
  readonly keys: RemoteHomeKeys;
}

/**
 * The device's half: resolves when the home has stored it. Rejects with `refused` where the owner said no, `bad-answer`
 * where the other end is not the home of this offer, `connection-lost`; and with what `keep` rejects with. Closes the wire.
 */
export async function pairWithHome(options: PairWithHomeOptions): Promise<PairedHome> {
  const { suite, wire, offer } = options;
  const privateKey = suite.random(KEY_BYTES);
  try {
    const own = await suite.importKeyPair(privateKey);
    const secrets = offer.kind === 'code' ? ({ pattern: 'IKpsk1', peerPublicKey: offer.homePublicKey, psks: [offer.secret] } as const) : ({ pattern: 'XXpsk0', peerPublicKey: null, psks: [offer.psk] } as const);
    const talk = await Talk.begin(options, { ...secrets, initiator: true, own });
    // Bound before the home's nonce is known: whoever knows the words and sits in between cannot try keys until both ends show the same digits.
    const nonce = suite.random(KEY_BYTES);
    await talk.say({ type: 'device', name: options.deviceName.slice(0, MOST_NAME), commitment: toBase64url(await suite.sha256(nonce)) });
    const homeNonce = keyOf((await talk.hear('nonce')).nonce);
    await talk.say({ type: 'reveal', nonce: toBase64url(nonce) });
    options.onDigits(await talk.digits(nonce, homeNonce));
    const answer = await talk.hear('allowed', 'refused');
    if (answer.type === 'refused') throw new PorchlightError('refused', 'The home did not let this computer in.');
    const { homeName, relays, psk, ringSeed, routeSeed } = answer;
    const home = { homeName, relays, keys: { homePublicKey: toBase64url(talk.peerPublicKey), devicePrivateKey: toBase64url(privateKey), psk, ringSeed, routeSeed } };
    await options.keep(home);
    await talk.say({ type: 'kept' });
    await talk.hear('stored');
    return home;
  } finally {
    privateKey.fill(0);
    wire.close('over');
  }
}

export interface HearDeviceOptions extends TalkOptions {
  readonly own: KeyPair;
  /** 32 bytes: the secret of a code, or what is derived of words. */
  readonly offer: { readonly kind: 'code' | 'words'; readonly psk: Uint8Array };
}

/** A device that knows the offer's secret and waits for the owner. */
export interface WaitingDevice {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** As it calls itself; at most 60 characters. */
  readonly name: string;
  readonly digits: string;
  /** Hands the keys over; resolves when the device has kept them. Rejects where it does not; nothing is to be stored then. */
  allow(handed: HandedOver): Promise<void>;
  /** The device is stored: both are done. */
  stored(): Promise<void>;
  refuse(): Promise<void>;
  /** Called once with the wire's end. */
  onClose(listener: (reason: string) => void): void;
  close(): void;
}

/** The home's half: resolves when a device has shown that it knows the secret and said its name. Rejects, and closes the wire, where it does not. */
export async function hearDevice(options: HearDeviceOptions): Promise<WaitingDevice> {
  const { wire, own, offer } = options;
  try {
    const talk = await Talk.begin(options, { pattern: offer.kind === 'code' ? 'IKpsk1' : 'XXpsk0', peerPublicKey: null, psks: [offer.psk], initiator: false, own });
    const { name, commitment } = await talk.hear('device');
    const nonce = options.suite.random(KEY_BYTES);
    await talk.say({ type: 'nonce', nonce: toBase64url(nonce) });
    const deviceNonce = keyOf((await talk.hear('reveal')).nonce);
    if (!sameBytes(await options.suite.sha256(deviceNonce), keyOf(commitment))) throw new PorchlightError('bad-answer', 'The device changed its mind about its digits.');
    const digits = await talk.digits(deviceNonce, nonce);
    return {
      publicKey: talk.peerPublicKey,
      name: name.trim().slice(0, MOST_NAME),
      digits,
      allow: async ({ homeName, relays, psk, ringSeed, routeSeed }) => {
        await talk.say({ type: 'allowed', homeName, relays, psk: toBase64url(psk), ringSeed: toBase64url(ringSeed), routeSeed: toBase64url(routeSeed) });
        await talk.hear('kept');
      },
      stored: () => talk.say({ type: 'stored' }),
      refuse: () => talk.say({ type: 'refused' }),
      onClose: (listener) => wire.onClose(listener),
      close: () => wire.close('over'),
    };
  } catch (cause) {
    wire.close('over');
    throw cause;
  }
}

interface Part {
  readonly pattern: 'IKpsk1' | 'XXpsk0';
  readonly initiator: boolean;
  readonly own: KeyPair;
  readonly peerPublicKey: Uint8Array | null;
  readonly psks: readonly Uint8Array[];
}

class Talk {
  readonly peerPublicKey: Bytes;
  readonly #suite: CryptoSuite;
  readonly #hash: Bytes;
  readonly #text: TextCodec;
  readonly #inbox: Inbox;
  readonly #keys: { readonly send: CipherState; readonly receive: CipherState };

  private constructor(suite: CryptoSuite, text: TextCodec, inbox: Inbox, keys: { readonly send: CipherState; readonly receive: CipherState }, hash: Bytes, peerPublicKey: Bytes) {
    this.#suite = suite;
    this.#hash = hash;
    this.#text = text;
    this.#inbox = inbox;
    this.#keys = keys;
    inbox.wire.onClose(() => keys.send.wipe());
    inbox.onDrained(() => keys.receive.wipe());
    this.peerPublicKey = peerPublicKey;
  }

  static async begin({ suite, text, wire, token, sessionKey }: TalkOptions, part: Part): Promise<Talk> {
    const inbox = new Inbox(wire);
    const handshake = new Handshake({ suite, ...part, prologue: concat(LABEL, await suite.sha256(token), sessionKey) });
    try {
      for (let isOurs = part.initiator; !handshake.isComplete; isOurs = !isOurs) {
        if (isOurs) inbox.wire.send(await handshake.writeMessage(new Uint8Array(0)));
        else await handshake.readMessage(await inbox.take()).catch(asBadAnswer).finally(() => inbox.taken());
      }
      const [hash, { peerPublicKey }] = [handshake.hash(), handshake];
      if (peerPublicKey === null) throw new PorchlightError('bad-answer', 'The other end did not say who it is.');
      return new Talk(suite, text, inbox, await handshake.split(), hash, peerPublicKey);
    } catch (cause) {
      handshake.wipe();
      throw cause;
    }
  }

  /** What both ends show: of the handshake and of a nonce of each, the device's first. */
  async digits(deviceNonce: Uint8Array, homeNonce: Uint8Array): Promise<string> {
    return await sasDigits(this.#suite, await this.#suite.sha256(concat(this.#hash, deviceNonce, homeNonce)));
  }

  async say(said: Said): Promise<void> {
    const json = this.#text.encode(JSON.stringify(said));
    const plain = new Uint8Array(Math.ceil((LENGTH_BYTES + json.length + TAG_BYTES) / BUCKET_BYTES) * BUCKET_BYTES - TAG_BYTES);
    new DataView(plain.buffer).setUint16(0, json.length);
    plain.set(json, LENGTH_BYTES);
    this.#inbox.wire.send(await this.#keys.send.seal(plain));
  }

  /** The next message, which has to be one of these. */
  async hear<Type extends Said['type']>(...types: readonly Type[]): Promise<Extract<Said, { readonly type: Type }>> {
    const sealed = await this.#inbox.take();
    const said = sealed.length > MOST_BYTES ? null : readSaid(await this.#open(sealed).finally(() => this.#inbox.taken()), this.#text);
    const type = types.find((each) => each === said?.type);
    if (said === null || type === undefined) throw new PorchlightError('bad-answer', 'The other end said something that does not belong here. Begin again with a new code.');
    return said as Extract<Said, { readonly type: Type }>;
  }

  async #open(sealed: Uint8Array): Promise<Bytes> {
    try {
      return await this.#keys.receive.open(sealed);
    } catch (cause) {
      return asBadAnswer(cause);
    }
  }
}

function asBadAnswer(cause: unknown): never {
  throw new PorchlightError('bad-answer', 'What answered is not the home of this code. Begin again with a new code.', cause);
}

/** Null where it is none of the words of a pairing. */
function readSaid(plain: Uint8Array, text: TextCodec): Said | null {
  if (plain.length < LENGTH_BYTES) return null;
  const end = LENGTH_BYTES + new DataView(plain.buffer, plain.byteOffset).getUint16(0);
  if (end > plain.length || plain.subarray(end).some((byte) => byte !== 0)) return null;
  let value: unknown;
  try {
    value = JSON.parse(text.decode(plain.subarray(LENGTH_BYTES, end)));
  } catch {
    return null;
  }
  return isSaid(value) ? value : null;
}

function isSaid(value: unknown): value is Said {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  const said = value as Readonly<Record<string, unknown>>;
  switch (said['type']) {
    case 'refused':
    case 'kept':
    case 'stored':
      return true;
    case 'device':
      return typeof said['name'] === 'string' && isKey(said['commitment']);
    case 'nonce':
    case 'reveal':
      return isKey(said['nonce']);
    case 'allowed':
      return typeof said['homeName'] === 'string' && areRelays(said['relays']) && ['psk', 'ringSeed', 'routeSeed'].every((name) => isKey(said[name]));
    default:
      return false;
  }
}

function areRelays(value: unknown): boolean {
  return Array.isArray(value) && value.length >= 1 && value.length <= 5 && value.every((relay) => typeof relay === 'string' && /^wss?:\/\//.test(relay));
}

/** Of a text that `isKey` found to be one. */
function keyOf(text: string): Bytes {
  return forceUnwrap('it was read before', fromBase64url(text));
}

function isKey(value: unknown): boolean {
  return typeof value === 'string' && fromBase64url(value)?.length === KEY_BYTES;
}

/** Messages of the wire, one at a time; those that came before its end are read after it too. */
class Inbox {
  readonly wire: Wire;
  readonly #early: Uint8Array[] = [];
  #ended: string | null = null;
  #isReading = false;
  #wake: (() => void) | null = null;
  #tellDrained: () => void = () => undefined;

  constructor(wire: Wire) {
    this.wire = wire;
    wire.onMessage((bytes) => {
      if (this.#early.length < MOST_EARLY) this.#early.push(bytes);
      else wire.close('over');
      this.#wake?.();
    });
    wire.onClose((reason) => {
      this.#ended = reason;
      this.#look();
      this.#wake?.();
    });
  }

  /** Told when the wire has ended and everything that came before is opened: what the last words were sealed with is needed until then. */
  onDrained(listener: () => void): void {
    this.#tellDrained = listener;
    this.#look();
  }

  /** What `take` gave out last is opened. */
  taken(): void {
    this.#isReading = false;
    this.#look();
  }

  #look(): void {
    if (this.#ended !== null && this.#early.length === 0 && !this.#isReading) this.#tellDrained();
  }

  async take(): Promise<Uint8Array> {
    for (;;) {
      const message = this.#early.shift();
      if (message !== undefined) {
        this.#isReading = true;
        return message;
      }
      if (this.#ended !== null) throw new PorchlightError('connection-lost', 'The line ended before the pairing was done. Begin again with a new code.');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
