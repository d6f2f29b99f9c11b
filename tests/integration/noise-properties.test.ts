/** Our Noise handshake and its keys against whatever a relay may do to them: nothing but the true beginning opens, and a failure leaves no key behind. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { type Change, type Ends, finish, makeSecrets, nth, partiesOf, partyOf, play } from '../noise/exchange.ts';
import { toHex } from '../../shared/relay/bytes.ts';
import { Handshake, type NoisePattern } from '../../shared/relay/noise.ts';
import { isNoisePattern, patternOf } from '../../shared/relay/noise-patterns.ts';
import type { AeadKey, Bytes, CryptoSuite, KeyPair, Soon } from '../../shared/relay/suite.ts';

/** What Porchlight speaks: sessions, pairing by code, pairing by words. */
const SPOKEN = ['IKpsk2', 'IKpsk1', 'XXpsk0'] as const satisfies readonly NoisePattern[];
const secrets = await makeSecrets(nodeSuite);

/** Everything a suite gave that must not outlive a failure. */
class WatchedSuite implements CryptoSuite {
  readonly outputs: Bytes[] = [];
  readonly keys: { wiped: boolean }[] = [];
  readonly random = (count: number): Bytes => nodeSuite.random(count);
  readonly generateKeyPair = (): Soon<KeyPair> => nodeSuite.generateKeyPair();
  readonly importKeyPair = (bytes: Uint8Array): Soon<KeyPair> => nodeSuite.importKeyPair(bytes);
  readonly sha256 = (data: Uint8Array): Soon<Bytes> => nodeSuite.sha256(data);

  async agree(...given: Parameters<CryptoSuite['agree']>): Promise<Bytes> {
    return this.#kept(await nodeSuite.agree(...given));
  }

  async hmac(...given: Parameters<CryptoSuite['hmac']>): Promise<Bytes> {
    return this.#kept(await nodeSuite.hmac(...given));
  }

  async aeadKey(bytes: Uint8Array): Promise<AeadKey> {
    const key = await nodeSuite.aeadKey(bytes);
    const watch = { wiped: false };
    this.keys.push(watch);
    return {
      seal: (...given) => key.seal(...given),
      open: (...given) => key.open(...given),
      wipe: () => {
        watch.wiped = true;
        key.wipe();
      },
    };
  }

  /** How many keys and secrets of its making still hold something. */
  get left(): number {
    return this.keys.filter(({ wiped }) => !wiped).length + this.outputs.filter((bytes) => bytes.some((byte) => byte !== 0)).length;
  }

  #kept(bytes: Bytes): Bytes {
    this.outputs.push(bytes);
    return bytes;
  }
}

/** Plays honestly to message `at`, gives the reader what `damage` made of it, and expects the reader to be dead. */
async function expectRefused(pattern: NoisePattern, at: number, damage: (message: Bytes) => Uint8Array): Promise<void> {
  const watched = new WatchedSuite();
  const { initiator, responder } = at % 2 === 0 ? { initiator: partyOf(nodeSuite, pattern, secrets, true), responder: partyOf(watched, pattern, secrets, false) } : { initiator: partyOf(watched, pattern, secrets, true), responder: partyOf(nodeSuite, pattern, secrets, false) };
  await play({ initiator, responder }, at);
  const [writer, reader] = at % 2 === 0 ? [initiator, responder] : [responder, initiator];
  const message = await writer.writeMessage(new Uint8Array(20).fill(7));
  await expect(reader.readMessage(damage(message))).rejects.toThrow();
  expect(reader.isComplete).toBe(false);
  expect(() => reader.hash()).toThrow();
  // Not even the true message helps now.
  await expect(reader.readMessage(message)).rejects.toThrow();
  await expect(reader.split()).rejects.toThrow();
  expect(watched.left).toBe(0);
}

const someMessage = fc.constantFrom(...SPOKEN.flatMap((pattern) => [...patternOf(pattern).messages.keys()].map((at) => ({ pattern, at }))));

describe('a handshake message', () => {
  test('with any one bit turned is refused, and the keys are gone', async () => {
    await fc.assert(
      fc.asyncProperty(someMessage, fc.nat(), async ({ pattern, at }, bit) => {
        await expectRefused(pattern, at, (message) => message.map((byte, index) => (index === Math.floor(bit / 8) % message.length ? byte ^ (1 << (bit % 8)) : byte)));
      }),
      { numRuns: 60 },
    );
  }, 20_000);

  test('shorter, longer, empty or of noise is refused, and the keys are gone', async () => {
    const damage = fc.oneof(
      fc.nat().map((cut) => (message: Bytes) => message.subarray(0, cut % message.length)),
      fc.uint8Array({ minLength: 1, maxLength: 40 }).map((more) => (message: Bytes) => Uint8Array.of(...message, ...more)),
      fc.uint8Array({ maxLength: 300 }).map((noise) => () => noise),
      fc.constant((message: Bytes) => new Uint8Array(message.length)),
      fc.constant(() => new Uint8Array(65_536)),
    );
    await fc.assert(fc.asyncProperty(someMessage, damage, ({ pattern, at }, change) => expectRefused(pattern, at, change)), { numRuns: 60 });
  }, 20_000);

  test('of another handshake with the same secrets is refused', async () => {
    for (const pattern of SPOKEN) {
      for (const at of patternOf(pattern).messages.keys()) {
        if (at === 0) continue; // A first message can be replayed to a responder; what follows cannot.
        const recorded = partiesOf(nodeSuite, pattern, secrets);
        await play(recorded, at);
        const old = await (at % 2 === 0 ? recorded.initiator : recorded.responder).writeMessage(new Uint8Array(3));
        await expectRefused(pattern, at, () => old);
      }
    }
  });

  test('reflected to its writer is refused', async () => {
    for (const pattern of SPOKEN) {
      const { initiator } = partiesOf(nodeSuite, pattern, secrets);
      await expect(initiator.readMessage(await initiator.writeMessage(new Uint8Array(4)))).rejects.toThrow();
    }
  });
});

/** Whether two parties that differ in something get to a common pair of keys. */
async function agree(pattern: NoisePattern, change: Change): Promise<boolean> {
  const initiator = partyOf(nodeSuite, pattern, secrets, true);
  const responder = partyOf(nodeSuite, pattern, secrets, false, change);
  try {
    await play({ initiator, responder }, patternOf(pattern).messages.length);
    return true;
  } catch {
    return false;
  }
}

describe('parties that differ', () => {
  const differences: readonly (readonly [string, Change])[] = [
    ['psk', { psks: [nodeSuite.random(32)] }],
    ['prologue', { prologue: Uint8Array.of(...secrets.prologue.subarray(1), 0) }],
    ['empty prologue', { prologue: new Uint8Array(0) }],
    ['version of the suite', { suiteName: '25519_AESGCM_SHA512' }],
  ];
  test.each(SPOKEN.flatMap((pattern) => differences.map(([name, change]) => [pattern, name, change] as const)))('%s: another %s never agrees', async (pattern, _name, change) => {
    expect(await agree(pattern, {})).toBe(true);
    expect(await agree(pattern, change)).toBe(false);
  });

  test('another modifier never agrees', async () => {
    expect(await agree('IKpsk2', { pattern: 'IKpsk1' })).toBe(false);
    expect(await agree('IKpsk1', { pattern: 'IKpsk2' })).toBe(false);
    expect(await agree('XXpsk0', { pattern: 'XXpsk3' })).toBe(false);
  });

  test('a stranger in the place of the home or of the device never agrees', async () => {
    const stranger = await nodeSuite.generateKeyPair();
    const home = partyOf(nodeSuite, 'IKpsk2', { ...secrets, responder: stranger }, false);
    await expect(home.readMessage(await partyOf(nodeSuite, 'IKpsk2', secrets, true).writeMessage(new Uint8Array(0)))).rejects.toThrow();
    // The device is known by the key that comes out of message 1: it cannot be another's.
    const responder = partyOf(nodeSuite, 'IKpsk2', secrets, false);
    await responder.readMessage(await partyOf(nodeSuite, 'IKpsk2', { ...secrets, initiator: stranger }, true).writeMessage(new Uint8Array(0)));
    expect(responder.peerPublicKey).toEqual(stranger.publicKey);
  });
});

describe('a handshake', () => {
  test('out of turn ends', async () => {
    const { initiator, responder } = partiesOf(nodeSuite, 'IKpsk2', secrets);
    await expect(responder.writeMessage(new Uint8Array(0))).rejects.toThrow();
    await expect(responder.readMessage(await initiator.writeMessage(new Uint8Array(0)))).rejects.toThrow();
    await expect(initiator.writeMessage(new Uint8Array(0))).rejects.toThrow();
  });

  test('takes one call at a time', async () => {
    const { initiator } = partiesOf(nodeSuite, 'IKpsk2', secrets);
    const both = await Promise.allSettled([initiator.writeMessage(new Uint8Array(0)), initiator.writeMessage(new Uint8Array(0))]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  test('without the psk it needs ends at that token; one more than it needs is refused', async () => {
    const initiator = partyOf(nodeSuite, 'IKpsk2', secrets, true);
    const responder = partyOf(nodeSuite, 'IKpsk2', secrets, false, { psks: [] });
    await responder.readMessage(await initiator.writeMessage(new Uint8Array(0)));
    await expect(responder.writeMessage(new Uint8Array(0))).rejects.toThrow();
    expect(() => initiator.setPsk(secrets.psk)).toThrow();
    expect(() => partyOf(nodeSuite, 'IKpsk2', secrets, true, { psks: [secrets.psk, secrets.psk] })).toThrow();
    expect(() => partyOf(nodeSuite, 'IKpsk2', secrets, true, { psks: [secrets.psk.subarray(1)] })).toThrow();
  });

  test('leaves nothing behind when it is split and its keys are wiped', async () => {
    for (const pattern of SPOKEN) {
      const watched = new WatchedSuite();
      const { ofInitiator } = await finish({ initiator: partyOf(watched, pattern, secrets, true), responder: partyOf(nodeSuite, pattern, secrets, false) }, pattern);
      expect(watched.left).toBe(2);
      ofInitiator.send.wipe();
      ofInitiator.receive.wipe();
      expect(watched.left).toBe(0);
    }
  });

  test('gives its keys once', async () => {
    const parties = partiesOf(nodeSuite, 'NN', secrets);
    await finish(parties, 'NN');
    await expect(parties.initiator.split()).rejects.toThrow();
  });

  test('refuses a peer key of low order', async () => {
    const { initiator } = partiesOf(nodeSuite, 'IKpsk2', secrets);
    await initiator.writeMessage(new Uint8Array(0));
    await expect(initiator.readMessage(new Uint8Array(100))).rejects.toThrow();
    const options = { suite: nodeSuite, pattern: 'IKpsk2', initiator: true, prologue: new Uint8Array(0), own: secrets.initiator, psks: [] } as const;
    await expect(new Handshake({ ...options, peerPublicKey: new Uint8Array(32) }).writeMessage(new Uint8Array(0))).rejects.toThrow();
  });

  test('knows its patterns, in one spelling each', () => {
    for (const name of ['IKpsk2', 'XXpsk0+psk3', 'NN', 'Npsk0', 'Xpsk1']) expect(isNoisePattern(name)).toBe(true);
    for (const name of ['IK1', 'XXfallback', 'IKpsk3', 'Npsk2', 'XXpsk3+psk0', 'XXpsk0+psk0', 'psk0', '', 'toString', 'IKpsk', 'IKpsk2+', '__proto__']) expect(isNoisePattern(name)).toBe(false);
  });
});

/** What a relay may do to the messages of one direction. */
type Act = { readonly kind: 'pass' | 'drop' | 'repeat' | 'swap' | 'reflect' | 'old' | 'empty' } | { readonly kind: 'flip' | 'cut'; readonly at: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Act>({ kind: 'pass' }) },
  { weight: 1, arbitrary: fc.constantFrom<Act>({ kind: 'drop' }, { kind: 'repeat' }, { kind: 'swap' }, { kind: 'reflect' }, { kind: 'old' }, { kind: 'empty' }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('flip' as const, 'cut' as const), at: fc.nat() }) },
);

/** The messages as the relay hands them on. */
function tamper(sealed: readonly Bytes[], acts: readonly Act[], reflected: Bytes, old: Bytes): Uint8Array[] {
  const out: Uint8Array[] = [];
  sealed.forEach((message, index) => {
    const { kind, ...rest } = acts[index] ?? { kind: 'pass' };
    const at = 'at' in rest ? Number(rest.at) : 0;
    if (kind === 'pass') out.push(message);
    else if (kind === 'repeat') out.push(message, message);
    else if (kind === 'swap') out.splice(-1, 0, message);
    else if (kind === 'reflect') out.push(reflected, message);
    else if (kind === 'old') out.push(old, message);
    else if (kind === 'empty') out.push(new Uint8Array(0), message);
    else if (kind === 'flip') out.push(message.map((byte, place) => (place === at % message.length ? byte ^ 0x20 : byte)));
    else if (kind === 'cut') out.push(message.subarray(0, at % message.length));
  });
  return out;
}

test('whatever is done to transport messages, only the true beginning opens', async () => {
  const session = async (): Promise<{ ofInitiator: Ends; ofResponder: Ends }> => finish(partiesOf(nodeSuite, 'IKpsk2', secrets), 'IKpsk2');
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 12 }), async (acts) => {
      const { ofInitiator, ofResponder } = await session();
      const plains = acts.map((_, index) => new Uint8Array(30 + index).fill(index));
      const sealed = await Promise.all(plains.map(async (plain) => ofResponder.send.seal(plain)));
      const old = await (await session()).ofResponder.send.seal(new Uint8Array(30));
      const delivered = tamper(sealed, acts, await ofInitiator.send.seal(new Uint8Array(30)), old);
      let broken = false;
      let next = 0;
      for (const message of delivered) {
        const isNext = !broken && next < sealed.length && toHex(message) === toHex(nth(sealed, next));
        if (isNext) {
          expect(await ofInitiator.receive.open(message)).toEqual(plains[next]);
          next += 1;
          continue;
        }
        broken = true;
        await expect((async () => ofInitiator.receive.open(message))()).rejects.toThrow();
      }
    }),
    { numRuns: 40 },
  );
}, 20_000);
