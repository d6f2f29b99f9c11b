/** Whether anybody is watching from away: in sight on every view; who, and which cameras, under the pointer or a press. */
import { Eye, EyeOff } from 'lucide-react';
import { Popover } from 'radix-ui';
import { type PointerEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import type { Watching } from '../../shared/model/remote.ts';
import { SECOND_MS } from '../../shared/time.ts';
import { useCameras } from '../state/cameras.tsx';
import { useRemote } from '../state/remote.ts';
import { hrefOf } from '../state/route.ts';
import { useNow } from '../state/use-now.ts';
import { formatBytes, formatDuration, formatMoment } from './format.ts';
import { watchedWords } from './watched-words.ts';
import './WatchedBadge.css';

/** Long enough to get from the badge to what it opened. */
const LEAVE_MS = 200;

export function WatchedBadge(): ReactNode {
  const { data } = useRemote();
  if (data === null) return null;
  return (
    <div className="watched" role="status">
      {data.watching.length === 0 ? <Nobody /> : <Watched watching={data.watching} />}
    </div>
  );
}

/** On a phone the symbol and one word. */
function Nobody(): ReactNode {
  return (
    <span className="pill watching">
      <EyeOff size={14} aria-hidden="true" />
      <span className="watched-words">Nobody is watching from away</span>
      <span className="watched-count" aria-hidden="true">
        Nobody
      </span>
    </span>
  );
}

function Watched({ watching }: { readonly watching: readonly Watching[] }): ReactNode {
  const [open, setOpen] = useState(false);
  const leaving = useRef<number | undefined>(undefined);
  useEffect(() => () => window.clearTimeout(leaving.current), []);
  const pointer = {
    onPointerEnter: ({ pointerType }: PointerEvent): void => {
      window.clearTimeout(leaving.current);
      if (pointerType === 'mouse') setOpen(true);
    },
    onPointerLeave: ({ pointerType }: PointerEvent): void => {
      if (pointerType === 'mouse') leaving.current = window.setTimeout(() => setOpen(false), LEAVE_MS);
    },
  };
  const words = watchedWords(watching);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <button type="button" className="pill watched-now" aria-label={words} {...pointer} onClick={(event) => (event.preventDefault(), setOpen(true))}>
          <Eye size={15} aria-hidden="true" />
          <span className="watched-words">{words}</span>
          <span className="watched-count numbers">{watching.length}</span>
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="menu watched-who" align="end" sideOffset={6} collisionPadding={10} aria-label="Who is watching from away" onOpenAutoFocus={(event) => event.preventDefault()} {...pointer}>
          <Who watching={watching} />
          <a href={hrefOf({ view: 'away' })} onClick={() => setOpen(false)}>
            Devices, and who watched when
          </a>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Who({ watching }: { readonly watching: readonly Watching[] }): ReactNode {
  const nowMs = useNow(SECOND_MS);
  const cameras = useCameras() ?? [];
  const nameOf = (id: string): string => cameras.find(({ camera }) => camera.id === id)?.camera.name ?? 'A removed camera';
  return (
    <ul>
      {watching.map(({ deviceId, deviceName, sinceMs, cameraIds, sentBytes }) => (
        <li key={`${deviceId} ${sinceMs}`}>
          <strong>{deviceName}</strong>
          <span>{cameraIds.length === 0 ? 'No picture open at the moment' : cameraIds.map(nameOf).join(', ')}</span>
          <span className="muted numbers">
            Since {formatMoment(sinceMs, nowMs)} ({formatDuration(nowMs - sinceMs)}), {formatBytes(sentBytes)} sent
          </span>
        </li>
      ))}
    </ul>
  );
}
