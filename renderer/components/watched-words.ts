/** Who is watching, in a few words. Pure. */
import type { Watching } from '../../shared/model/remote.ts';

/** "Anna’s phone is watching", "Anna’s phone is connected" where it has no picture open, "2 devices are watching". */
export function watchedWords(watching: readonly Pick<Watching, 'deviceId' | 'deviceName' | 'cameraIds'>[]): string {
  const [first] = watching;
  if (first === undefined) return 'Nobody is watching from away';
  const does = watching.some(({ cameraIds }) => cameraIds.length > 0) ? 'watching' : 'connected';
  const devices = new Set(watching.map(({ deviceId }) => deviceId)).size;
  return devices === 1 ? `${first.deviceName} is ${does} from away` : `${devices} devices are ${does} from away`;
}
