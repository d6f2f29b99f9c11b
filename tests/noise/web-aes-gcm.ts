/** The window's AES-GCM in the shape the vectors are checked in. */
import { webAesGcm } from '../../renderer/relay/web-suite.ts';
import type { AesGcm } from './vector-checks.ts';

export const aesGcmOverWebCrypto: AesGcm = {
  seal: async (key, ...rest) => webAesGcm.seal(await webAesGcm.importKey(key), ...rest),
  open: async (key, ...rest) => webAesGcm.open(await webAesGcm.importKey(key), ...rest),
};
