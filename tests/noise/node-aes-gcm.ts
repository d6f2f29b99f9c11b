/** The engine's AES-GCM in the shape the vectors are checked in. */
import { nodeAesGcm } from '../../main/engine/relay/node-suite.ts';
import type { AesGcm } from './vector-checks.ts';

export const aesGcmOverNode: AesGcm = {
  seal: (key, ...rest) => nodeAesGcm.seal(nodeAesGcm.importKey(key), ...rest),
  open: (key, ...rest) => nodeAesGcm.open(nodeAesGcm.importKey(key), ...rest),
};
