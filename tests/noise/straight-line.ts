/**
 * Noise_XXpsk0 and Noise_IKpsk2 written out step by step from the token lists of the specification (revision 34,
 * sections 7.5 and 9), over node:crypto and nothing of ours: a second opinion where no public vector exists.
 */
import { createCipheriv, createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';

export interface Inputs {
  /** 32 private bytes each. */
  readonly initiatorStatic: Buffer;
  readonly initiatorEphemeral: Buffer;
  readonly responderStatic: Buffer;
  readonly responderEphemeral: Buffer;
  readonly psk: Buffer;
  readonly prologue: Buffer;
  readonly payloads: readonly Buffer[];
}

export interface Outputs {
  readonly messages: readonly Buffer[];
  readonly hash: Buffer;
  /** The initiator's and the responder's key for transport. */
  readonly keys: readonly [Buffer, Buffer];
}

const publicOf = (bytes: Buffer): Buffer => Buffer.from(String(createPublicKey(pkcs8(bytes)).export({ format: 'jwk' }).x), 'base64url');
const pkcs8 = (bytes: Buffer): ReturnType<typeof createPrivateKey> => createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), bytes]), format: 'der', type: 'pkcs8' });
const dh = (own: Buffer, peerPublic: Buffer): Buffer =>
  diffieHellman({ privateKey: pkcs8(own), publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: peerPublic.toString('base64url') }, format: 'jwk' }) });
const sha = (...parts: readonly Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
const mac = (key: Buffer, ...parts: readonly Buffer[]): Buffer => createHmac('sha256', key).update(Buffer.concat(parts)).digest();
const byte = (value: number): Buffer => Buffer.from([value]);

function expand(chainingKey: Buffer, input: Buffer): readonly [Buffer, Buffer, Buffer] {
  const temporary = mac(chainingKey, input);
  const one = mac(temporary, byte(1));
  const two = mac(temporary, one, byte(2));
  return [one, two, mac(temporary, two, byte(3))];
}

/** AES-256-GCM as Noise section 12.3 has it, the tag behind the ciphertext. */
export function seal(key: Buffer, counter: number, associated: Buffer, plain: Buffer): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(counter, 8);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associated);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Noise_XXpsk0: `psk, e` · `e, ee, s, es` · `s, se`. */
export function straightXXpsk0(given: Inputs): Outputs {
  const [is, ie, rs, re] = [given.initiatorStatic, given.initiatorEphemeral, given.responderStatic, given.responderEphemeral];
  const payload = (at: number): Buffer => given.payloads[at] ?? Buffer.alloc(0);
  // Both names have exactly 32 bytes: nothing to fill up or to hash (section 5.2).
  let h: Buffer = Buffer.from('Noise_XXpsk0_25519_AESGCM_SHA256');
  let ck = h;
  let k: Buffer;
  let mixed: Buffer;
  h = sha(h, given.prologue);
  // -> psk, e
  [ck, mixed, k] = expand(ck, given.psk);
  h = sha(h, mixed);
  h = sha(h, publicOf(ie));
  [ck, k] = expand(ck, publicOf(ie));
  const sealed1 = seal(k, 0, h, payload(0));
  h = sha(h, sealed1);
  const message1 = Buffer.concat([publicOf(ie), sealed1]);
  // <- e, ee, s, es
  h = sha(h, publicOf(re));
  [ck, k] = expand(ck, publicOf(re));
  [ck, k] = expand(ck, dh(re, publicOf(ie)));
  const sealedStatic2 = seal(k, 0, h, publicOf(rs));
  h = sha(h, sealedStatic2);
  [ck, k] = expand(ck, dh(rs, publicOf(ie)));
  const sealed2 = seal(k, 0, h, payload(1));
  h = sha(h, sealed2);
  const message2 = Buffer.concat([publicOf(re), sealedStatic2, sealed2]);
  // -> s, se
  const sealedStatic3 = seal(k, 1, h, publicOf(is));
  h = sha(h, sealedStatic3);
  [ck, k] = expand(ck, dh(is, publicOf(re)));
  const sealed3 = seal(k, 0, h, payload(2));
  h = sha(h, sealed3);
  const message3 = Buffer.concat([sealedStatic3, sealed3]);
  const [one, two] = expand(ck, Buffer.alloc(0));
  return { messages: [message1, message2, message3], hash: h, keys: [one, two] };
}

/** Noise_IKpsk2: `<- s` beforehand · `e, es, s, ss` · `e, ee, se, psk`. */
export function straightIKpsk2(given: Inputs): Outputs {
  const [is, ie, rs, re] = [given.initiatorStatic, given.initiatorEphemeral, given.responderStatic, given.responderEphemeral];
  const payload = (at: number): Buffer => given.payloads[at] ?? Buffer.alloc(0);
  let h: Buffer = Buffer.from('Noise_IKpsk2_25519_AESGCM_SHA256');
  let ck = h;
  let k: Buffer;
  let mixed: Buffer;
  h = sha(h, given.prologue);
  h = sha(h, publicOf(rs));
  // -> e, es, s, ss
  h = sha(h, publicOf(ie));
  [ck, k] = expand(ck, publicOf(ie));
  [ck, k] = expand(ck, dh(ie, publicOf(rs)));
  const sealedStatic1 = seal(k, 0, h, publicOf(is));
  h = sha(h, sealedStatic1);
  [ck, k] = expand(ck, dh(is, publicOf(rs)));
  const sealed1 = seal(k, 0, h, payload(0));
  h = sha(h, sealed1);
  const message1 = Buffer.concat([publicOf(ie), sealedStatic1, sealed1]);
  // <- e, ee, se, psk
  h = sha(h, publicOf(re));
  [ck, k] = expand(ck, publicOf(re));
  [ck, k] = expand(ck, dh(re, publicOf(ie)));
  [ck, k] = expand(ck, dh(re, publicOf(is)));
  [ck, mixed, k] = expand(ck, given.psk);
  h = sha(h, mixed);
  const sealed2 = seal(k, 0, h, payload(1));
  h = sha(h, sealed2);
  const message2 = Buffer.concat([publicOf(re), sealed2]);
  const [one, two] = expand(ck, Buffer.alloc(0));
  return { messages: [message1, message2], hash: h, keys: [one, two] };
}
