/** Ids that name folders and rows; branded so that one can never be passed for another. */

/** `cam-` and twelve base32 characters; names the camera's folder under every root. */
export type CameraId = string & { readonly __brand: 'CameraId' };
/** `disk-` and twelve base32 characters; written into porchlight-disk.json. */
export type RootId = string & { readonly __brand: 'RootId' };

const CAMERA_ID = /^cam-[a-z2-7]{12}$/;
const ROOT_ID = /^disk-[a-z2-7]{12}$/;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

export function isCameraId(text: string): text is CameraId {
  return CAMERA_ID.test(text);
}

export function isRootId(text: string): text is RootId {
  return ROOT_ID.test(text);
}

/** A camera id from at least twelve random bytes. */
export function cameraIdFrom(random: Uint8Array): CameraId {
  return `cam-${base32(random)}` as CameraId;
}

/** A root id from at least twelve random bytes. */
export function rootIdFrom(random: Uint8Array): RootId {
  return `disk-${base32(random)}` as RootId;
}

function base32(random: Uint8Array): string {
  if (random.length < 12) throw new Error('an id needs twelve random bytes');
  return Array.from(random.subarray(0, 12), (byte) => ALPHABET.charAt(byte & 31)).join('');
}
