/** Two Noise implementations that are not ours, behind one shape: holepunch's noise-handshake and rweather's noise-c. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { copyOf } from '../../shared/relay/bytes.ts';
import type { Bytes, CryptoSuite } from '../../shared/relay/suite.ts';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { CHACHA_SUITE_NAME, chachaSuite } from './chacha-suite.ts';

const require = createRequire(import.meta.url);

export interface ForeignOptions {
  readonly pattern: string;
  readonly initiator: boolean;
  readonly prologue: Uint8Array;
  readonly ownPrivate: Uint8Array;
  readonly peerPublic: Uint8Array | null;
  readonly psk: Uint8Array | null;
}

/** One foreign side of a handshake. */
export interface ForeignParty {
  write(payload: Uint8Array): Bytes;
  read(message: Uint8Array): Bytes;
  /** Ends the handshake. */
  finish(): { readonly hash: Bytes; seal(plain: Uint8Array): Bytes; open(sealed: Uint8Array): Bytes };
}

export interface Foreign {
  readonly name: string;
  /** What our own side has to run over. */
  readonly suite: CryptoSuite;
  readonly suiteName: string;
  begin(options: ForeignOptions): ForeignParty;
}

interface NoiseHandshake {
  initialise(prologue: Uint8Array, peer?: Uint8Array): void;
  send(payload: Uint8Array): Uint8Array;
  recv(message: Uint8Array): Uint8Array;
  readonly tx: Uint8Array;
  readonly rx: Uint8Array;
  readonly hash: Uint8Array;
}

interface HolepunchCipher {
  encrypt(plain: Uint8Array): Uint8Array;
  decrypt(sealed: Uint8Array): Uint8Array;
}

/** noise-handshake 4: IK, XX, XK, NN and psk0 of two of them, ChaChaPoly and BLAKE2b only. */
export function holepunch(): Foreign {
  const Noise = require('noise-handshake') as new (pattern: string, initiator: boolean, own: unknown, options: { psk?: Uint8Array }) => NoiseHandshake;
  const Cipher = require('noise-handshake/cipher') as new (key: Uint8Array) => HolepunchCipher;
  const curve = require('noise-handshake/dh') as { generateKeyPair(privateKey: Uint8Array): unknown };
  return {
    name: 'noise-handshake',
    suite: chachaSuite,
    suiteName: CHACHA_SUITE_NAME,
    begin: ({ pattern, initiator, prologue, ownPrivate, peerPublic, psk }) => {
      const noise = new Noise(pattern, initiator, curve.generateKeyPair(Buffer.from(ownPrivate)), psk === null ? {} : { psk: Buffer.from(psk) });
      noise.initialise(Buffer.from(prologue), peerPublic === null ? undefined : Buffer.from(peerPublic));
      return {
        write: (payload) => copyOf(noise.send(Buffer.from(payload))),
        read: (message) => copyOf(noise.recv(Buffer.from(message))),
        finish: () => {
          const [send, receive] = [new Cipher(noise.tx), new Cipher(noise.rx)];
          return { hash: copyOf(noise.hash), seal: (plain) => copyOf(send.encrypt(Buffer.from(plain))), open: (sealed) => copyOf(receive.decrypt(Buffer.from(sealed))) };
        },
      };
    },
  };
}

interface NoiseCCipher {
  EncryptWithAd(associated: Uint8Array, plain: Uint8Array): Uint8Array;
  DecryptWithAd(associated: Uint8Array, sealed: Uint8Array): Uint8Array;
}

interface NoiseCHandshake {
  Initialize(prologue: Uint8Array, own: Uint8Array | null, peer: Uint8Array | null, psk: Uint8Array | null): void;
  WriteMessage(payload: Uint8Array): Uint8Array;
  ReadMessage(message: Uint8Array, wantsPayload: boolean): Uint8Array;
  GetHandshakeHash(): Uint8Array;
  Split(): readonly [NoiseCCipher, NoiseCCipher];
}

interface NoiseC {
  readonly constants: { readonly NOISE_ROLE_INITIATOR: number; readonly NOISE_ROLE_RESPONDER: number };
  HandshakeState(protocol: string, role: number): NoiseCHandshake;
}

/** noise-c in WebAssembly: fundamental patterns over our own suite; it knows no psk modifiers. */
export async function noiseC(): Promise<Foreign> {
  const create = require('noise-c.wasm') as (options: { wasmBinary: Uint8Array }, ready: (library: NoiseC) => void) => void;
  // Left to itself it tries to fetch its own file path as a URL first, and says so.
  const wasmBinary = await readFile(path.join(path.dirname(require.resolve('noise-c.wasm')), 'noise-c.wasm'));
  const library = await new Promise<NoiseC>((resolve) => create({ wasmBinary }, resolve));
  const suiteName = '25519_AESGCM_SHA256';
  const none = new Uint8Array(0);
  return {
    name: 'noise-c',
    suite: nodeSuite,
    suiteName,
    begin: ({ pattern, initiator, prologue, ownPrivate, peerPublic, psk }) => {
      const { NOISE_ROLE_INITIATOR, NOISE_ROLE_RESPONDER } = library.constants;
      const state = library.HandshakeState(`Noise_${pattern}_${suiteName}`, initiator ? NOISE_ROLE_INITIATOR : NOISE_ROLE_RESPONDER);
      state.Initialize(prologue, ownPrivate, peerPublic, psk);
      return {
        write: (payload) => copyOf(state.WriteMessage(payload)),
        read: (message) => copyOf(state.ReadMessage(message, true)),
        finish: () => {
          const hash = copyOf(state.GetHandshakeHash());
          const [send, receive] = state.Split();
          return { hash, seal: (plain) => copyOf(send.EncryptWithAd(none, plain)), open: (sealed) => copyOf(receive.DecryptWithAd(none, sealed)) };
        },
      };
    },
  };
}
