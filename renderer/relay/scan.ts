/** Reads a code with this computer's camera: pictures alone, looked at in this page and kept nowhere; when the signal aborts, the camera is off. */
import { SECOND_MS } from '../../shared/time.ts';
import { type FindCode, loadFinder } from './find-code.ts';

/** No sound is asked for; of several cameras of a phone the one that looks away from the person. */
const ASKED: MediaStreamConstraints = { audio: false, video: { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } } };
const LOOKS_PER_SECOND = 8;
/** A code of 57 modules that fills half the square has six of these pixels for each. */
const LARGEST_PX = 720;
/** Of a frame that shows none the next is worth more than a longer look. */
const SEARCH_MS = 40;

export interface ScanParts {
  readonly devices: Pick<MediaDevices, 'getUserMedia'>;
  /** Shows what the camera sees. */
  readonly video: HTMLVideoElement;
  readonly signal: AbortSignal;
  /** There is a picture. `isFacing`: the camera looks at the person, who expects a mirror. */
  readonly onPicture: (isFacing: boolean) => void;
  /** What the latest look found: a text, or null for none. */
  readonly onSeen: (text: string | null) => void;
}

/** Whether this page may ask for a camera: browsers offer none to pages that came without TLS from another computer. */
export function canScan(): boolean {
  // Typed as always there, it is missing on such pages.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  return window.isSecureContext && devices?.getUserMedia !== undefined;
}

/** Looks until the signal aborts. Rejects with what the browser says when there is no camera to look with; `cameraProblem` has the sentence for it. */
export async function scan({ devices, video, signal, onPicture, onSeen }: ScanParts): Promise<void> {
  const [stream, find] = await Promise.all([openCamera(devices, signal), loadFinder()]);
  const [track] = stream.getVideoTracks();
  if (signal.aborted || track === undefined) return;
  video.srcObject = stream;
  signal.addEventListener('abort', () => (video.srcObject = null), { once: true });
  const look = lookerOf(video, find);
  for (let hasPicture = false; !signal.aborted; ) {
    // A camera that was pulled out ends its track without a word.
    if (track.readyState === 'ended') throw new DOMException('the camera is gone', 'NotReadableError');
    const startMs = performance.now();
    const found = look();
    if (found !== undefined) {
      if (!hasPicture) onPicture(track.getSettings().facingMode !== 'environment');
      hasPicture = true;
      onSeen(found);
    }
    const spentMs = performance.now() - startMs;
    // At least as long for everything else on the page as for looking.
    await new Promise((resolve) => setTimeout(resolve, Math.max(SECOND_MS / LOOKS_PER_SECOND - spentMs, spentMs)));
  }
}

/** The camera's stream, which ends with the signal, also where the person answers the browser's question only after that. */
export async function openCamera(devices: ScanParts['devices'], signal: AbortSignal): Promise<MediaStream> {
  const stream = await devices.getUserMedia(ASKED);
  const release = (): void => {
    for (const track of stream.getTracks()) track.stop();
  };
  if (signal.aborted) release();
  else signal.addEventListener('abort', release, { once: true });
  return stream;
}

/** The square in the middle of a picture, which is what the preview shows of it, and how large it is looked at. Everything in pixels. */
export function squareOf(width: number, height: number): { readonly x: number; readonly y: number; readonly side: number; readonly lookedAt: number } {
  const side = Math.min(width, height);
  return { x: Math.floor((width - side) / 2), y: Math.floor((height - side) / 2), side, lookedAt: Math.min(side, LARGEST_PX) };
}

/** Looks at the frame that is shown at the moment; undefined where there is none yet. */
function lookerOf(video: HTMLVideoElement, find: FindCode): () => string | null | undefined {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  return () => {
    if (context === null || video.videoWidth === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return undefined;
    const { x, y, side, lookedAt } = squareOf(video.videoWidth, video.videoHeight);
    if (canvas.width !== lookedAt) [canvas.width, canvas.height] = [lookedAt, lookedAt];
    context.drawImage(video, x, y, side, side, 0, 0, lookedAt, lookedAt);
    return find(context.getImageData(0, 0, lookedAt, lookedAt), SEARCH_MS);
  };
}
