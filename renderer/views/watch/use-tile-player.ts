/** Gives a tile its player: live or recorded, the other stream without a black moment in between, and none of it to see or hear while the line to another home is silent. */
import { type RefObject, useEffect, useRef } from 'react';
import type { CameraId } from '../../../shared/model/ids.ts';
import { useEngine } from '../../api/engine-context.tsx';
import { AudioSink } from '../../player/audio-sink.ts';
import { openLiveTile, openRecordedTile } from '../../player/choose.ts';
import { Painter } from '../../player/painter.ts';
import type { Loading } from '../../player/refill.ts';
import type { LivePlayer, TilePhase } from '../../player/tile-player.ts';
import { useSight, useVeil } from '../../state/place.tsx';
import { useSharedAhead } from './ahead-context.tsx';
import type { PlaybackController } from './playback-controller.ts';

export interface TilePlayerRequest {
  readonly canvas: RefObject<HTMLCanvasElement | null>;
  readonly cameraId: CameraId;
  readonly stream: 'main' | 'sub' | 'best';
  readonly playback: PlaybackController | null;
  readonly audible: boolean;
  /** False: nothing of it may be seen, and nothing is asked for. */
  readonly allowed: boolean;
  readonly onPhase: (phase: TilePhase) => void;
  /** The line is slow and a smaller picture comes than was asked for, or not any more. */
  readonly onSmaller: (smaller: boolean) => void;
  /** Recordings have waited for footage long enough that a person wonders. */
  readonly onLoading: (loading: Loading | null) => void;
}

export function useTilePlayer({ canvas, cameraId, stream, playback, audible, allowed, onPhase, onSmaller, onLoading }: TilePlayerRequest): void {
  const client = useEngine();
  const ahead = useSharedAhead();
  const veil = useVeil();
  const blank = useSight().kind === 'blank';
  const player = useRef<LivePlayer | null>(null);
  const outgoing = useRef<LivePlayer | null>(null);
  const sink = useRef<AudioSink | null>(null);

  useEffect(() => {
    const element = canvas.current;
    if (element === null || !allowed) return undefined;
    const painter = new Painter(element, veil === null ? undefined : () => veil.maySee());
    const stopVeil = veil?.onChange(() => {
      if (!veil.maySee()) painter.clear();
    });
    const leave = (): void => {
      outgoing.current?.close();
      outgoing.current = null;
    };
    let left = false;
    const told = (phase: TilePhase): void => {
      // On its way out it still paints, but no longer speaks for the tile.
      if (left) return;
      // The new stream has painted: only now the old one may go.
      if (phase.kind !== 'starting' && phase.kind !== 'waiting') leave();
      onPhase(phase);
    };
    let remove = (): void => undefined;
    const toldSmaller = (smaller: boolean): void => {
      if (!left) onSmaller(smaller);
    };
    onSmaller(false);
    onLoading(null);
    const toldLoading = (loading: Loading | null): void => {
      if (!left) onLoading(loading);
    };
    if (playback === null) player.current = openLiveTile({ client, cameraId, stream, painter, onPhase: told, onSmaller: toldSmaller });
    else {
      leave();
      const tile = openRecordedTile({ client, cameraId, stream, painter, fromMs: playback.positionMs, ahead, onPhase: told, onSmaller: toldSmaller, onLoading: toldLoading });
      remove = playback.add(tile);
      player.current = tile;
    }
    player.current.setSound(sink.current);
    return () => {
      left = true;
      stopVeil?.();
      remove();
      leave();
      // A live player goes on painting until its successor has a picture; after a moment it ends in any case.
      const old = player.current;
      player.current = null;
      if (playback === null) {
        outgoing.current = old;
        setTimeout(() => {
          old?.close();
          if (outgoing.current === old) outgoing.current = null;
        }, 3_000);
      } else old?.close();
    };
  }, [client, canvas, cameraId, stream, playback, ahead, veil, allowed, onPhase, onSmaller, onLoading]);

  useEffect(() => {
    if (!audible || blank) return undefined;
    const own = new AudioSink();
    sink.current = own;
    player.current?.setSound(own);
    return () => {
      sink.current = null;
      player.current?.setSound(null);
      own.close();
    };
  }, [audible, blank]);
}
