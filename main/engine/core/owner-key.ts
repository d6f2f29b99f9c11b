/** The key file beside sealed secrets: where it is, and whether what lies there is one. */

export const SECRETS_KEY = 'secrets.key';
export const KEY_BYTES = 32;

/** Whether this is what a key file holds; one that a power cut or a failing disk emptied or zeroed is none. */
export function isKey(bytes: Uint8Array): boolean {
  return bytes.length === KEY_BYTES && bytes.some((byte) => byte !== 0);
}
