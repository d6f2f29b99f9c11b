/** New keys inside a running session: what each end keeps between the three steps (docs/design/relay.md, "Rekey"). */
import { ascii, concat } from './bytes.ts';
import { type CipherState, Handshake } from './noise.ts';
import type { Bytes, CryptoSuite, KeyPair } from './suite.ts';

/** First byte of a type 4 record's payload: message 1 and 2 of the handshake, and the viewer's last word under the old key. */
export const REKEY_STEP = { ask: 1, answer: 2, done: 3 } as const;

export interface SessionKeys {
  readonly send: CipherState;
  readonly receive: CipherState;
  /** The handshake they came from; the next one names it. */
  readonly hash: Bytes;
}

/** What both ends keep for as long as the session lasts. */
export interface RekeyIdentity {
  readonly suite: CryptoSuite;
  readonly own: KeyPair;
  readonly peerPublicKey: Bytes;
  readonly psk: Bytes;
}

const LABEL = ascii('nvr-rekey/1');
const NOTHING = new Uint8Array(0);

/** The payload of a rekey record. */
export function rekeyPayload(step: keyof typeof REKEY_STEP, message: Uint8Array = NOTHING): Bytes {
  return concat(Uint8Array.of(REKEY_STEP[step]), message);
}

/** The viewer's side: begins, then finishes with the home's answer. */
export async function askRekey({ suite, own, peerPublicKey, psk }: RekeyIdentity, oldHash: Uint8Array): Promise<{ readonly payload: Bytes; finish(message: Uint8Array): Promise<SessionKeys>; wipe(): void }> {
  const handshake = new Handshake({ suite, pattern: 'IKpsk2', initiator: true, prologue: concat(LABEL, oldHash), own, peerPublicKey, psks: [psk] });
  return {
    payload: rekeyPayload('ask', await handshake.writeMessage(NOTHING)),
    finish: async (message) => {
      await expectEmpty(handshake.readMessage(message));
      return keysOf(handshake);
    },
    wipe: () => handshake.wipe(),
  };
}

/** The home's side: the answer, and the keys to go on with. Rejects where the message is of another than the session's device. */
export async function answerRekey({ suite, own, peerPublicKey, psk }: RekeyIdentity, oldHash: Uint8Array, message: Uint8Array): Promise<{ readonly payload: Bytes; readonly keys: SessionKeys }> {
  const handshake = new Handshake({ suite, pattern: 'IKpsk2', initiator: false, prologue: concat(LABEL, oldHash), own, peerPublicKey: null, psks: [psk] });
  await expectEmpty(handshake.readMessage(message));
  const caller = handshake.peerPublicKey;
  if (caller === null || caller.some((byte, at) => byte !== peerPublicKey[at])) throw new Error('another device than the one of this session');
  const payload = rekeyPayload('answer', await handshake.writeMessage(NOTHING));
  return { payload, keys: await keysOf(handshake) };
}

async function expectEmpty(payload: Promise<Bytes>): Promise<void> {
  if ((await payload).length > 0) throw new Error('a payload where none belongs');
}

async function keysOf(handshake: Handshake): Promise<SessionKeys> {
  const hash = handshake.hash();
  return { ...(await handshake.split()), hash };
}
