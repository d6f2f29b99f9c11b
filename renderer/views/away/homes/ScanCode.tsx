/** Looks for a home's code with this computer's camera, in a square that shows what it sees. The camera is on for as long as this is shown. */
import { Camera } from 'lucide-react';
import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from 'react';
import { onPageHidden } from '../../../api/page-hidden.ts';
import { Button } from '../../../components/Button.tsx';
import { scan } from '../../../relay/scan.ts';
import { cameraProblem, isOurs, noticeAfter, type ScanNotice } from '../../../relay/scan-words.ts';
import './scan.css';

export interface ScanCodeProps {
  /** A code to pair with was seen; the camera is off already. */
  readonly onCode: (code: string) => void;
  readonly onStop: () => void;
  /** The page went out of sight. */
  readonly onHidden: () => void;
  /** There is no picture to look at, in a sentence. */
  readonly onProblem: (sentence: string) => void;
}

export function ScanCode({ onCode, onStop, onHidden, onProblem }: ScanCodeProps): ReactNode {
  const video = useRef<HTMLVideoElement>(null);
  const [facing, setFacing] = useState<boolean | null>(null);
  const [notice, setNotice] = useState<ScanNotice | null>(null);
  const found = useEffectEvent(onCode);
  const hidden = useEffectEvent(onHidden);
  const failed = useEffectEvent(onProblem);
  useEffect(() => {
    const ending = new AbortController();
    const { signal } = ending;
    const end = (tell: () => void): void => {
      if (signal.aborted) return;
      ending.abort();
      tell();
    };
    const onSeen = (text: string | null): void => {
      if (text !== null && isOurs(text)) end(() => found(text));
      else setNotice((before) => noticeAfter(before, text, performance.now()));
    };
    if (video.current !== null) {
      scan({ devices: navigator.mediaDevices, video: video.current, signal, onPicture: setFacing, onSeen }).catch((error: unknown) => end(() => failed(cameraProblem(error))));
    }
    const stopListening = onPageHidden(() => end(hidden));
    return () => {
      stopListening();
      ending.abort();
    };
  }, []);
  return (
    <div className="scan">
      <div className="scan-square" data-state={facing === null ? 'waiting' : 'looking'}>
        <video ref={video} data-mirrored={facing === true} autoPlay muted playsInline aria-label="What this computer’s camera sees" />
        {facing === null ? <Camera className="scan-waiting" size={28} strokeWidth={1.75} aria-hidden="true" /> : null}
        <svg viewBox="0 0 100 100" aria-hidden="true">
          <path d="M12 26V16a4 4 0 0 1 4-4h10M74 12h10a4 4 0 0 1 4 4v10M88 74v10a4 4 0 0 1-4 4H74M26 88H16a4 4 0 0 1-4-4V74" />
        </svg>
      </div>
      <div className="scan-words">
        <p role="status">{notice?.sentence ?? (facing === null ? 'Starting the camera. If you are asked, allow it.' : 'Hold the code of that home before the camera, so that it fills the frame.')}</p>
        <p className="muted">The picture is looked at on this computer and kept nowhere.</p>
        <Button onClick={onStop}>Stop the camera</Button>
      </div>
    </div>
  );
}
