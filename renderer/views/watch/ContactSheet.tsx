/** An hour of one camera at a glance: sixty small pictures, each leading to its moment. */
import { ChevronLeft, ChevronRight } from 'lucide-react';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import type { Camera } from '../../../shared/model/camera.ts';
import { type EpochMs, HOUR_MS, MINUTE_MS } from '../../../shared/time.ts';
import { useQuery } from '../../api/engine-context.tsx';
import { IconButton } from '../../components/Button.tsx';
import { Dialog } from '../../components/Dialog.tsx';
import { formatClock, formatDay, formatTime } from '../../components/format.ts';
import { useSight } from '../../state/place.tsx';

export interface ContactSheetProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly camera: Camera;
  readonly atMs: EpochMs;
  readonly onGo: (atMs: EpochMs) => void;
}

const PICTURES = 60;

export function ContactSheet({ open, onOpenChange, camera, atMs, onGo }: ContactSheetProps): ReactNode {
  const [hourMs, setHourMs] = useState(0);
  const sight = useSight();
  useEffect(() => {
    if (open) setHourMs(Math.floor(atMs / (30 * MINUTE_MS)) * 30 * MINUTE_MS - 30 * MINUTE_MS);
    // Opens around the moment shown, then stands still.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [open]);
  const sheet = useQuery('previews.sheet', open && hourMs > 0 ? { cameraId: camera.id, startMs: hourMs, endMs: hourMs + HOUR_MS, count: PICTURES } : null);
  const pictures = useMemo(
    () => {
      if (sheet.data === null) return [];
      const { items, bytes } = sheet.data;
      return items.map(({ atMs: itemMs, offsetBytes, sizeBytes }) => ({ itemMs, url: URL.createObjectURL(new Blob([bytes.slice(offsetBytes, offsetBytes + sizeBytes) as Uint8Array<ArrayBuffer>], { type: 'image/jpeg' })) }));
    },
    [sheet.data],
  );
  useEffect(() => () => pictures.forEach(({ url }) => URL.revokeObjectURL(url)), [pictures]);
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={camera.name} description={`${formatDay(hourMs)}, ${formatTime(hourMs)} – ${formatTime(hourMs + HOUR_MS)}`} wide>
      <div className="sheet-steps">
        <IconButton label="An hour earlier" onClick={() => setHourMs((before) => before - HOUR_MS)}>
          <ChevronLeft size={18} />
        </IconButton>
        <IconButton label="An hour later" onClick={() => setHourMs((before) => before + HOUR_MS)}>
          <ChevronRight size={18} />
        </IconButton>
      </div>
      {sight.kind === 'blank' ? <p className="muted">{sight.reason}</p> : null}
      {pictures.length === 0 && !sheet.loading ? <p className="muted">There are no pictures of this hour.</p> : null}
      <ul className="sheet">
        {(sight.kind === 'blank' ? [] : pictures).map(({ itemMs, url }) => (
          <li key={itemMs}>
            <button
              type="button"
              onClick={() => {
                onGo(itemMs);
                onOpenChange(false);
              }}
            >
              <img src={url} alt="" />
              <span className="numbers">{formatClock(itemMs)}</span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
