/** Both halves of a pairing over one line: what each ends up with, and what ends it. */
import { describe, expect, it } from 'vitest';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { utf8 } from '../../main/engine/rpc/channels/text-codec.ts';
import { toBase64url } from './bytes.ts';
import { HeldWire } from './held-wire.ts';
import { type HandedOver, hearDevice, type PairedHome, pairWithHome, type PairWithHomeOptions } from './pairing-talk.ts';
import type { CryptoSuite, KeyPair } from './suite.ts';

class End extends HeldWire {
  other: End | null = null;
  sent: Uint8Array[] = [];
  change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes;

  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
    const { other } = this;
    queueMicrotask(() => other?.receive(this.change(bytes)));
  }

  protected override hungUp(): void {
    setImmediate(() => this.other?.close('the other end is gone'));
  }
}

const SECRET = nodeSuite.random(32);
const TOKEN = nodeSuite.random(16);
const SESSION_KEY = nodeSuite.random(32);
const HANDED: HandedOver = { homeName: 'Lakeside', relays: ['wss://a.example', 'wss://b.example/x'], psk: nodeSuite.random(32), ringSeed: nodeSuite.random(32), routeSeed: nodeSuite.random(32) };

/** Opens what it is given some turns later, as a window does. */
const LATE_SUITE: CryptoSuite = {
  ...nodeSuite,
  aeadKey: async (bytes) => {
    const key = await nodeSuite.aeadKey(bytes);
    return {
      seal: (counter, associated, plain) => key.seal(counter, associated, plain),
      open: async (counter, associated, sealed) => {
        for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        return await key.open(counter, associated, sealed);
      },
      wipe: () => key.wipe(),
    };
  },
};

interface Rig {
  readonly home: KeyPair;
  readonly device: Promise<PairedHome>;
  readonly ends: { readonly home: End; readonly device: End };
  readonly digits: Promise<string>;
  readonly hear: ReturnType<typeof hearDevice>;
  readonly kept: PairedHome[];
}

async function rig(kind: 'code' | 'words', more: { readonly secret?: Uint8Array; readonly homeKey?: Uint8Array; readonly sessionKey?: Uint8Array; readonly keep?: PairWithHomeOptions['keep']; readonly change?: End['change']; readonly deviceSuite?: CryptoSuite } = {}): Promise<Rig> {
  const home = await nodeSuite.generateKeyPair();
  const ends = { home: new End(), device: new End() };
  ends.home.other = ends.device;
  ends.device.other = ends.home;
  if (more.change !== undefined) ends.home.change = more.change;
  const common = { suite: nodeSuite, text: utf8, token: TOKEN };
  const secret = more.secret ?? SECRET;
  const kept: PairedHome[] = [];
  const digits = Promise.withResolvers<string>();
  const hear = hearDevice({ ...common, wire: ends.home, sessionKey: SESSION_KEY, own: home, offer: { kind, psk: SECRET } });
  const device = pairWithHome({
    ...common, suite: more.deviceSuite ?? nodeSuite, wire: ends.device, sessionKey: more.sessionKey ?? SESSION_KEY, deviceName: 'Mac of Ada',
    offer: kind === 'code' ? { kind, homePublicKey: more.homeKey ?? home.publicKey, secret } : { kind, psk: secret },
    onDigits: digits.resolve,
    keep: more.keep ?? (async (paired) => void kept.push(paired)),
  });
  // Whoever waits for them sees how they end.
  hear.catch(() => undefined);
  device.catch(() => undefined);
  return { home, ends, hear, device, digits: digits.promise, kept };
}

describe.each(['code', 'words'] as const)('a pairing by %s', (kind) => {
  it('leaves the same keys at both ends, after both showed the same digits', async () => {
    const { home, hear, device, digits, kept, ends } = await rig(kind);
    const waiting = await hear;
    expect([waiting.name, waiting.digits]).toEqual(['Mac of Ada', await digits]);
    expect(waiting.digits).toMatch(/^\d{6}$/);
    await waiting.allow(HANDED);
    // Kept before the home stores anything.
    expect(kept).toHaveLength(1);
    await waiting.stored();
    const paired = await device;
    expect(paired).toMatchObject({ homeName: 'Lakeside', relays: HANDED.relays, keys: { homePublicKey: toBase64url(home.publicKey), psk: toBase64url(HANDED.psk), ringSeed: toBase64url(HANDED.ringSeed), routeSeed: toBase64url(HANDED.routeSeed) } });
    const own = await nodeSuite.importKeyPair(Buffer.from(paired.keys.devicePrivateKey, 'base64url'));
    expect(toBase64url(own.publicKey)).toBe(toBase64url(waiting.publicKey));
    // What the relay sees of it after the handshake is whole buckets.
    const handshakes = kind === 'code' ? 1 : 2;
    expect(ends.device.sent.slice(handshakes).every(({ length }) => length % 256 === 0)).toBe(true);
  });

  it('is whole where the home hangs up behind its last word, however late that is opened', async () => {
    const { hear, device, kept } = await rig(kind, { deviceSuite: LATE_SUITE });
    const waiting = await hear;
    await waiting.allow(HANDED);
    await waiting.stored();
    waiting.close();
    expect((await device).homeName).toBe('Lakeside');
    expect(kept).toHaveLength(1);
  });

  it('ends with a sentence when the owner says no', async () => {
    const { hear, device } = await rig(kind);
    await (await hear).refuse();
    await expect(device).rejects.toMatchObject({ kind: 'refused' });
  });

  it('does not begin with another secret, or through another session', async () => {
    for (const more of [{ secret: nodeSuite.random(32) }, { sessionKey: nodeSuite.random(32) }]) {
      const { hear, device } = await rig(kind, more);
      await expect(hear).rejects.toMatchObject({ kind: 'bad-answer' });
      await expect(device).rejects.toThrow();
    }
  });

  it('stores nothing at home when the device could not keep its keys', async () => {
    const { hear, device } = await rig(kind, { keep: () => Promise.reject(new Error('the disk is full')) });
    await expect((await hear).allow(HANDED)).rejects.toMatchObject({ kind: 'connection-lost' });
    await expect(device).rejects.toThrow('the disk is full');
  });

  it('ends when a message is changed on the way', async () => {
    let count = 0;
    const { hear, device } = await rig(kind, { change: (bytes) => ((count += 1) === 3 ? bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1) : bytes) });
    const waiting = await hear;
    await expect(waiting.allow(HANDED)).rejects.toThrow();
    await expect(device).rejects.toMatchObject({ kind: 'bad-answer' });
  });
});

it('a code is of one home: another one that has the secret is not believed', async () => {
  const stranger = await nodeSuite.generateKeyPair();
  const { hear, device } = await rig('code', { homeKey: stranger.publicKey });
  await expect(hear).rejects.toMatchObject({ kind: 'bad-answer' });
  await expect(device).rejects.toThrow();
});
