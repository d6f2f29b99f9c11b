/** The cryptography of node with randomness a test can have again. Never for anything but tests. */
import { createHash } from 'node:crypto';
import type { CryptoSuite } from '../../../../shared/relay/suite.ts';
import { nodeSuite } from '../node-suite.ts';

export function seededSuite(seed: number): CryptoSuite {
  let count = 0;
  const random: CryptoSuite['random'] = (bytes) => {
    const drawn = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += 32) drawn.set(createHash('sha256').update(`${seed} ${(count += 1)}`).digest().subarray(0, Math.min(32, bytes - at)), at);
    return drawn;
  };
  return { ...nodeSuite, random, generateKeyPair: () => nodeSuite.importKeyPair(random(32)) };
}
