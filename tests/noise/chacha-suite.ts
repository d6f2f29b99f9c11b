/** ChaCha20-Poly1305 and BLAKE2b in a suite's place, for a foreign Noise that knows nothing else; node:crypto under plain Node has them, Electron's has not. */
import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { copyOf } from '../../shared/relay/bytes.ts';
import type { AeadKey, Bytes, CryptoSuite } from '../../shared/relay/suite.ts';

export const CHACHA_SUITE_NAME = '25519_ChaChaPoly_BLAKE2b';
const TAG_BYTES = 16;

/** Noise section 12.2: 32 zero bits and the counter little-endian. */
function nonceOf(counter: bigint): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64LE(counter, 4);
  return nonce;
}

function chachaKey(given: Uint8Array): AeadKey {
  const key = copyOf(given);
  return {
    seal(counter, associated, plain): Bytes {
      const cipher = createCipheriv('chacha20-poly1305', key, nonceOf(counter), { authTagLength: TAG_BYTES });
      cipher.setAAD(associated, { plaintextLength: plain.length });
      return copyOf(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
    },
    open(counter, associated, sealed): Bytes {
      const decipher = createDecipheriv('chacha20-poly1305', key, nonceOf(counter), { authTagLength: TAG_BYTES });
      decipher.setAAD(associated, { plaintextLength: sealed.length - TAG_BYTES });
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
      return copyOf(Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES)), decipher.final()]));
    },
    wipe: () => void key.fill(0),
  };
}

/** `sha256` and `hmac` are BLAKE2b's here, with 64 bytes. */
export const chachaSuite: CryptoSuite = {
  ...nodeSuite,
  sha256: (data) => copyOf(createHash('blake2b512').update(data).digest()),
  hmac: (key, data) => copyOf(createHmac('blake2b512', key).update(data).digest()),
  aeadKey: chachaKey,
};
