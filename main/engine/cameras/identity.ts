/** By what a camera is known again at another address: its endpoint reference, else its serial number. Pure. */
import type { Camera, CameraDevice } from '../../../shared/model/camera.ts';

/** An endpoint reference without the prefixes devices put before it or leave out, in lower case. */
export function bareEndpoint(text: string): string {
  return text.trim().toLowerCase().replace(/^urn:/, '').replace(/^uuid:/, '');
}

/** What firmware has in place of a number (Tuya's "0123456789", happytime's "123456"): one sign again and again, counted up, or a word. */
const NO_SERIAL = /^(?:(.)\1+|0?12345(?:6(?:7(?:8(?:9[0a-f]*)?)?)?)?|unknown|default|serial ?(?:number|no)?\.?)$/i;

/** `serial:` and maker, model and number: a number alone is not unique between makers. Null without a number worth the name. */
export function serialIdentity(device: CameraDevice): string | null {
  const serial = device.serial.trim();
  if (serial.length < 5 || NO_SERIAL.test(serial)) return null;
  return `serial:${[device.maker, device.model, serial].map((part) => part.trim().toLowerCase()).join('/')}`;
}

/** What is stored as a camera's identity: the endpoint reference it told, else the one it was found by, else its serial. */
export function chooseIdentity(told: string | null, foundAs: string | null, device: CameraDevice): string | null {
  if (told !== null && told !== '') return told;
  if (foundAs !== null && foundAs !== '') return foundAs;
  return serialIdentity(device);
}

export interface ToldIdentity {
  readonly endpoint: string | null;
  readonly device: CameraDevice;
}

/** Whether a device that let us in is the configured one: by serial where both have one, else by endpoint reference. */
export function isSameCamera(known: { readonly identity: string | null; readonly device: CameraDevice }, told: ToldIdentity): boolean {
  const [ours, theirs] = [serialIdentity(known.device), serialIdentity(told.device)];
  if (ours !== null && theirs !== null) return ours === theirs;
  return known.identity !== null && told.endpoint !== null && bareEndpoint(known.identity) === bareEndpoint(told.endpoint);
}

/** Whether a device tells that it is another one: it need not tell anything, and then nobody knows. */
export function isOtherCamera(known: { readonly identity: string | null; readonly device: CameraDevice }, told: ToldIdentity): boolean {
  const [ours, theirs] = [serialIdentity(known.device), serialIdentity(told.device)];
  if (ours !== null && theirs !== null) return ours !== theirs;
  return known.identity !== null && !known.identity.startsWith('serial:') && told.endpoint !== null && bareEndpoint(known.identity) !== bareEndpoint(told.endpoint);
}

/** Every camera of the same device, `camera` itself among them: the channels of one recorder share address, identity and password. */
export function camerasOfDevice(camera: Camera, cameras: readonly Camera[]): Camera[] {
  const isLens = (one: Camera): boolean => (one.sourceToken ?? null) !== null;
  const sameDevice = (one: Camera): boolean => one.deviceUrl !== null && (one.deviceUrl === camera.deviceUrl || (one.identity !== null && camera.identity !== null && bareEndpoint(one.identity) === bareEndpoint(camera.identity) && one.device.serial === camera.device.serial));
  return cameras.filter((one) => one.id === camera.id || (isLens(camera) && isLens(one) && sameDevice(one)));
}
