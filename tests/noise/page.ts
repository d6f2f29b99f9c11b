/** The page in which Chromium (and Electron's window) is put to the vectors. */
import { webSuite } from '../../renderer/relay/web-suite.ts';
import { checkVectors } from './vector-checks.ts';
import type { VectorFiles, VectorReports } from './vector-checks.ts';
import { aesGcmOverWebCrypto } from './web-aes-gcm.ts';

declare global {
  interface Window {
    checkVectors(files: VectorFiles): Promise<VectorReports>;
    /** What the browser says to reading a private key out; null where it gave it away. */
    readPrivateKey(): Promise<string | null>;
  }
}

window.checkVectors = (files) => checkVectors(webSuite, aesGcmOverWebCrypto, files);
window.readPrivateKey = async () => {
  const { privateKey } = await webSuite.importKeyPair(webSuite.random(32));
  if (!(privateKey instanceof CryptoKey)) return 'not a key of WebCrypto';
  for (const format of ['pkcs8', 'jwk'] as const) {
    try {
      await crypto.subtle.exportKey(format, privateKey);
      return null;
    } catch (error) {
      if (format === 'jwk') return error instanceof DOMException ? error.name : String(error);
    }
  }
  return null;
};
