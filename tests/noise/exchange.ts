/** Two handshakes played against each other, for the tests. */
import { forceUnwrap } from '../../shared/result.ts';
import { Handshake } from '../../shared/relay/noise.ts';
import type { CipherState, HandshakeOptions, NoisePattern } from '../../shared/relay/noise.ts';
import { patternOf } from '../../shared/relay/noise-patterns.ts';
import type { Bytes, CryptoSuite, KeyPair } from '../../shared/relay/suite.ts';


/** One party's options, as the tests change them. */
export type Change = Partial<Pick<HandshakeOptions, 'prologue' | 'psks' | 'peerPublicKey' | 'suiteName' | 'pattern'>>;

export interface Parties {
  readonly initiator: Handshake;
  readonly responder: Handshake;
}

export interface Secrets {
  readonly initiator: KeyPair;
  readonly responder: KeyPair;
  readonly psk: Bytes;
  readonly prologue: Bytes;
}

export async function makeSecrets(suite: CryptoSuite): Promise<Secrets> {
  return { initiator: await suite.generateKeyPair(), responder: await suite.generateKeyPair(), psk: suite.random(32), prologue: suite.random(40) };
}

/** Which of the parties send or are known by a static key under a pattern. */
function hasStatic(pattern: NoisePattern, initiator: boolean): boolean {
  const { known, messages } = patternOf(pattern);
  return known.includes(initiator ? 'initiator' : 'responder') || messages.some((tokens, at) => (at % 2 === 0) === initiator && tokens.includes('s'));
}

/** One side of a handshake with what it would honestly hold, but for what is changed. */
export function partyOf(suite: CryptoSuite, pattern: NoisePattern, secrets: Secrets, initiator: boolean, change: Change = {}): Handshake {
  const { known, pskCount } = patternOf(change.pattern ?? pattern);
  const [own, peer] = initiator ? [secrets.initiator, secrets.responder] : [secrets.responder, secrets.initiator];
  return new Handshake({
    suite,
    pattern,
    initiator,
    prologue: secrets.prologue,
    own: hasStatic(pattern, initiator) ? own : null,
    peerPublicKey: known.includes(initiator ? 'responder' : 'initiator') ? peer.publicKey : null,
    psks: Array.from({ length: pskCount }, () => secrets.psk),
    ...change,
  });
}

/** Both sides with the same secrets. */
export function partiesOf(suite: CryptoSuite, pattern: NoisePattern, secrets: Secrets): Parties {
  return { initiator: partyOf(suite, pattern, secrets, true), responder: partyOf(suite, pattern, secrets, false) };
}

/** Plays the messages up to, not including, number `until`; the payload of message n is n bytes of n. */
export async function play({ initiator, responder }: Parties, until: number): Promise<void> {
  for (let at = 0; at < until; at += 1) {
    const [writer, reader] = at % 2 === 0 ? [initiator, responder] : [responder, initiator];
    await reader.readMessage(await writer.writeMessage(new Uint8Array(at).fill(at)));
  }
}

/** The whole handshake and the keys of both sides. */
export async function finish(parties: Parties, pattern: NoisePattern): Promise<{ readonly ofInitiator: Ends; readonly ofResponder: Ends }> {
  await play(parties, patternOf(pattern).messages.length);
  return { ofInitiator: await parties.initiator.split(), ofResponder: await parties.responder.split() };
}

export interface Ends {
  readonly send: CipherState;
  readonly receive: CipherState;
}

/** The nth of some things, which is there. */
export function nth<T>(things: readonly T[], at: number): T {
  return forceUnwrap(`there are more than ${at}`, things[at]);
}
