/** The preview under the pointer: asked for before anything is drawn, put into its image without a render in between; what was seen is kept. */
import { useEffect, useMemo } from 'react';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { EngineClient } from '../../api/engine-client.ts';
import { useEngine } from '../../api/engine-context.tsx';
import type { MaySee } from '../../player/painter.ts';
import { useVeil } from '../../state/place.tsx';

/** Previews are two seconds apart; asking finer finds the same ones. */
const STEP_MS = 1_000;
/** A preview this far from the moment still says something about it. */
const NEAR_MS = 15_000;
/** About 4 MB of small JPEGs. */
const KEPT = 400;

interface Wanted {
  readonly cameraId: CameraId;
  readonly atMs: EpochMs;
}

/** One request is under way and the newest moment waits; the last picture of the camera stays until the next is there. */
export class PreviewPointer {
  readonly #client: EngineClient;
  readonly #maySee: MaySee;
  /** The address of each picture, null where there is none; oldest first. */
  readonly #kept = new Map<string, string | null>();
  #image: HTMLImageElement | null = null;
  #wanted: Wanted | null = null;
  #shown: { readonly cameraId: CameraId; readonly url: string | null } | null = null;
  #busy = false;

  constructor(client: EngineClient, maySee: MaySee = () => true) {
    this.#client = client;
    this.#maySee = maySee;
  }

  /** Where pictures go; null while nothing is pointed at. */
  readonly attach = (image: HTMLImageElement | null): void => {
    this.#image = image;
    this.draw();
  };

  /** The pointer is over this moment of this camera. */
  want(cameraId: CameraId, atMs: EpochMs): void {
    const step = Math.round(atMs / STEP_MS) * STEP_MS;
    if (this.#wanted?.cameraId === cameraId && this.#wanted.atMs === step) return;
    this.#wanted = { cameraId, atMs: step };
    if (this.#shown?.cameraId !== cameraId) this.#show(cameraId, null);
    this.#next();
  }

  /** The pointer is nowhere. */
  leave(): void {
    this.#wanted = null;
    this.#shown = null;
    this.draw();
  }

  /** Gives all pictures back. */
  close(): void {
    this.leave();
    for (const url of this.#kept.values()) if (url !== null) URL.revokeObjectURL(url);
    this.#kept.clear();
  }

  #next(): void {
    const wanted = this.#wanted;
    if (wanted === null || this.#busy) return;
    const key = `${wanted.cameraId} ${wanted.atMs}`;
    const known = this.#kept.get(key);
    if (known !== undefined) {
      this.#show(wanted.cameraId, known);
      return;
    }
    this.#busy = true;
    this.#client
      .ask('previews.at', { ...wanted, toleranceMs: NEAR_MS })
      .then(({ item, bytes }) => {
        const url = item === null ? null : URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'image/jpeg' }));
        this.#keep(key, url);
        // Of a pointer that moves faster than pictures come, each is shown that came.
        if (this.#wanted?.cameraId === wanted.cameraId) this.#show(wanted.cameraId, url);
      })
      // Without an answer there is no preview; the moment is written beside it all the same.
      .catch(() => undefined)
      .finally(() => {
        this.#busy = false;
        if (this.#wanted !== wanted) this.#next();
      });
  }

  #keep(key: string, url: string | null): void {
    this.#kept.set(key, url);
    for (const [oldKey, old] of this.#kept) {
      if (this.#kept.size <= KEPT) break;
      this.#kept.delete(oldKey);
      if (old !== null) URL.revokeObjectURL(old);
    }
  }

  #show(cameraId: CameraId, url: string | null): void {
    this.#shown = { cameraId, url };
    this.draw();
  }

  /** Puts the picture that may be seen into the image, or none. */
  draw(): void {
    const image = this.#image;
    if (image === null) return;
    const url = this.#maySee() ? (this.#shown?.url ?? null) : null;
    image.hidden = url === null;
    if (url === null) image.removeAttribute('src');
    else if (image.src !== url) image.src = url;
  }
}

export function usePreviewPointer(): PreviewPointer {
  const client = useEngine();
  const veil = useVeil();
  const pointer = useMemo(() => new PreviewPointer(client, veil === null ? undefined : () => veil.maySee()), [client, veil]);
  useEffect(() => () => pointer.close(), [pointer]);
  useEffect(() => veil?.onChange(() => pointer.draw()), [veil, pointer]);
  return pointer;
}
