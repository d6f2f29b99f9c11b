/** Previews under the pointer: the newest request wins, what was seen is kept, the last picture stays until the next is there. */
import { useEffect, useRef, useState } from 'react';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { useEngine } from '../../api/engine-context.tsx';

export interface PreviewPicture {
  readonly cameraId: CameraId;
  readonly atMs: EpochMs;
  readonly url: string;
}

/** Previews are two seconds apart; asking finer finds the same ones. */
const STEP_MS = 1_000;
/** About 4 MB of small JPEGs. */
const KEPT = 400;

export function usePreview(cameraId: CameraId | null, atMs: EpochMs | null): PreviewPicture | null {
  const client = useEngine();
  const cache = useRef(new Map<string, PreviewPicture | null>());
  const [picture, setPicture] = useState<PreviewPicture | null>(null);
  const busy = useRef(false);
  const wanted = useRef<{ cameraId: CameraId; atMs: EpochMs } | null>(null);
  const step = atMs === null ? null : Math.round(atMs / STEP_MS) * STEP_MS;

  useEffect(() => {
    wanted.current = cameraId === null || step === null ? null : { cameraId, atMs: step };
    const next = (): void => {
      const want = wanted.current;
      if (want === null || busy.current) return;
      const key = `${want.cameraId} ${want.atMs}`;
      const known = cache.current.get(key);
      if (known !== undefined) {
        setPicture(known);
        return;
      }
      busy.current = true;
      client
        .ask('previews.at', { cameraId: want.cameraId, atMs: want.atMs, toleranceMs: 15_000 })
        .then(
          ({ item, bytes }) => remember(key, item === null ? null : { cameraId: want.cameraId, atMs: item.atMs, url: URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'image/jpeg' })) }),
          () => undefined,
        )
        .finally(() => {
          busy.current = false;
          next();
        });
    };
    const remember = (key: string, found: PreviewPicture | null): void => {
      cache.current.set(key, found);
      for (const [oldKey, old] of cache.current) {
        if (cache.current.size <= KEPT) break;
        cache.current.delete(oldKey);
        if (old !== null) URL.revokeObjectURL(old.url);
      }
    };
    next();
  }, [client, cameraId, step]);

  useEffect(() => {
    const kept = cache.current;
    return () => {
      for (const each of kept.values()) if (each !== null) URL.revokeObjectURL(each.url);
      kept.clear();
    };
  }, []);
  return cameraId === null || atMs === null || picture?.cameraId !== cameraId ? null : picture;
}
