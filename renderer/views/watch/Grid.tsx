/** The pictures, as large as the space allows; on a phone one at a time with the others to swipe to. */
import { type ReactNode, useRef } from 'react';
import type { CameraWithStatus } from '../../../shared/contract/engine-api.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { gridShape } from './grid-layout.ts';
import type { PlaybackController } from './playback-controller.ts';
import { Tile } from './Tile.tsx';
import { useSize } from './use-size.ts';

export interface GridProps {
  readonly entries: readonly CameraWithStatus[];
  readonly all: readonly CameraWithStatus[];
  readonly opened: CameraId | null;
  readonly audible: CameraId | null;
  readonly playback: PlaybackController | null;
  readonly nowMs: EpochMs;
  readonly onOpen: (cameraId: CameraId) => void;
  readonly onSound: (cameraId: CameraId) => void;
}

const GAP_PX = 8;
const WIDE = 16 / 9;

export function Grid({ entries, all, opened, audible, playback, nowMs, onOpen, onSound }: GridProps): ReactNode {
  const holder = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(holder);
  const { columns, rows } = gridShape(entries.length, width, height, WIDE, GAP_PX);
  const cell = Math.min((width - GAP_PX * (columns - 1)) / columns, ((height - GAP_PX * (rows - 1)) / rows) * WIDE);
  return (
    <div className="grid-space" ref={holder}>
      <div className="grid" data-count={entries.length} style={{ gridTemplateColumns: `repeat(${columns}, ${Math.max(0, Math.floor(cell))}px)` }}>
        {entries.map((entry) => (
          <Tile
            key={entry.camera.id}
            entry={entry}
            playback={playback}
            opened={opened === entry.camera.id || all.length === 1}
            selected={opened === entry.camera.id}
            audible={audible === entry.camera.id}
            onToggleSound={() => onSound(entry.camera.id)}
            onOpen={() => onOpen(entry.camera.id)}
            nowMs={nowMs}
          />
        ))}
      </div>
    </div>
  );
}
