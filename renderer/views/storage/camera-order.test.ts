import { expect, test } from 'vitest';
import type { CameraWithStatus } from '../../../shared/contract/engine-api.ts';
import { inCameraOrder } from './camera-order.ts';

test('rows come in the order of the cameras, and those of removed cameras last', () => {
  const cameras = ['b', 'c', 'a'].map((id) => ({ camera: { id } }) as unknown as CameraWithStatus);
  const rows = ['gone', 'a', 'b', 'c'].map((cameraId) => ({ cameraId }));
  expect(inCameraOrder(rows, cameras).map(({ cameraId }) => cameraId)).toEqual(['b', 'c', 'a', 'gone']);
});
