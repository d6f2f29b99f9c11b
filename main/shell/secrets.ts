/** Sealing of camera passwords with the system's keyring, for the engine, which keeps what is sealed (docs/design/processes.md, "Secrets"). */
import { safeStorage } from 'electron';
import type { SecretRequest } from '../../shared/contract/engine-process.ts';

/** Whether there is a keyring. On Linux Electron falls back to a key in its own source, which hides nothing. */
export function hasKeyring(platform: NodeJS.Platform = process.platform): boolean {
  if (!safeStorage.isEncryptionAvailable()) return false;
  return platform !== 'linux' || !['basic_text', 'unknown'].includes(safeStorage.getSelectedStorageBackend());
}

/** Seals or opens one text; sealed text is base64. Throws where the keyring refuses. */
export async function answerSecret(request: SecretRequest): Promise<string> {
  if ('seal' in request) return safeStorage.encryptString(request.seal).toString('base64');
  return safeStorage.decryptString(Buffer.from(request.open, 'base64'));
}
