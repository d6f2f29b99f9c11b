/**
 * The closed set of things that go wrong, each with one sentence for a person and a cause for the log
 * (DESIGN.md section 5). Cancellation is not an error; a bug is `internal`.
 */

export const ERROR_KINDS = [
  'cancelled',
  'invalid-input',
  'not-found',
  'not-allowed',
  'conflict',
  'unreachable',
  'refused',
  'wrong-password',
  'not-a-camera',
  'codec-not-supported',
  'no-video',
  'timeout',
  'bad-answer',
  'ffmpeg-missing',
  'ffmpeg-too-old',
  'ffmpeg-failed',
  'disk-full',
  'disk-missing',
  'disk-read-only',
  'disk-failing',
  'disk-wrong',
  'database-corrupt',
  'database-from-future',
  'data-in-use',
  'port-in-use',
  'footage-missing',
  'connection-lost',
  'internal',
] as const;

export type ErrorKind = (typeof ERROR_KINDS)[number];

/** How an error crosses a Channel; the cause stays in the log of the side where it happened. */
export interface WireError {
  readonly kind: ErrorKind;
  readonly sentence: string;
}

/** An expected failure. `message` is the sentence a person reads: what happened and what to do. */
export class PorchlightError extends Error {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause });
    this.name = 'PorchlightError';
    this.kind = kind;
  }
}

export function toWire(error: unknown): WireError {
  if (error instanceof PorchlightError) return { kind: error.kind, sentence: error.message };
  return { kind: 'internal', sentence: 'Something went wrong inside Porchlight. The log has the details.' };
}

export function fromWire(wire: WireError): PorchlightError {
  return new PorchlightError(wire.kind, wire.sentence);
}

/** The chain of causes in one line, for the log. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at !== undefined && at !== null && parts.length < 8; ) {
    if (at instanceof Error) {
      parts.push(at instanceof PorchlightError ? `${at.kind}: ${at.message}` : `${at.name}: ${at.message}`);
      at = at.cause;
    } else {
      parts.push(typeof at === 'string' ? at : JSON.stringify(at));
      break;
    }
  }
  return parts.join(' <- ');
}
