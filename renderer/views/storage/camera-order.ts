/** Rows about cameras, in the order in which the cameras are listed everywhere; pure. */
import type { CameraWithStatus } from '../../../shared/contract/engine-api.ts';

/** Those of removed cameras come last. */
export function inCameraOrder<Row extends { readonly cameraId: string }>(rows: readonly Row[], cameras: readonly CameraWithStatus[]): Row[] {
  const places = new Map<string, number>(cameras.map(({ camera }, place) => [camera.id, place]));
  const placeOf = ({ cameraId }: Row): number => places.get(cameraId) ?? cameras.length;
  return rows.toSorted((a, b) => placeOf(a) - placeOf(b));
}
