/** What is said while the camera looks for a code, and when it cannot. Pure. */
import { SECOND_MS } from '../../shared/time.ts';
import { looksLikePairingCode } from '../../shared/relay/pairing-code.ts';
import { readCode } from './read-offer.ts';

/** Long enough to be read when the code was in sight for a moment only. */
const NOTICE_MS = 4 * SECOND_MS;
const INSTEAD = 'or paste the code, or choose “Twelve words”.';

/** A sentence about a code that is none to pair with. */
export interface ScanNotice {
  readonly sentence: string;
  readonly seenMs: number;
}

/** Why there is no picture, from what `getUserMedia` rejects with (Media Capture and Streams, section 10.2). */
export function cameraProblem(error: unknown): string {
  switch (error instanceof Error ? error.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return `The camera was refused to this page: allow it in the settings of the browser or the system, ${INSTEAD}`;
    case 'NotFoundError':
    case 'OverconstrainedError':
      return `No camera was found here: plug one in, ${INSTEAD}`;
    case 'NotReadableError':
    case 'AbortError':
      return `The camera gives no picture, perhaps because another program uses it: close that one, ${INSTEAD}`;
    default:
      return `The camera did not start: try again, ${INSTEAD}`;
  }
}

/** Whether a text that was seen is a code to pair with. */
export function isOurs(text: string): boolean {
  return 'offer' in readCode(text);
}

/** What is said after a look. A code of another kind is named for as long as it is in sight, and a little longer. */
export function noticeAfter(before: ScanNotice | null, seen: string | null, nowMs: number): ScanNotice | null {
  if (seen === null) return before !== null && nowMs - before.seenMs > NOTICE_MS ? null : before;
  const sentence = looksLikePairingCode(seen)
    ? 'This code is of another version of Porchlight: bring both to the same one.'
    : 'This QR code is not for pairing: hold up the one that “Add a device” shows at that home.';
  return { sentence, seenMs: nowMs };
}
