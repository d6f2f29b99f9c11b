/** What may be seen of another home at the age of its newest sign of life (docs/design/relay.md, "Freshness"); pure. */
import { freshnessLevel } from '../../shared/relay/freshness.ts';

/** A sign of life is due each 500 ms: none for so long means that nothing comes, rather than that all of it comes late. */
const NOTHING_COMES_MS = 2_000;
/** Ages are told in steps of this. */
const STEP_MS = 100;

export type Sight =
  | { readonly kind: 'clear' }
  /** What is seen is this old. */
  | { readonly kind: 'grey'; readonly ageMs: number }
  /** Nothing is seen; `reason` is a sentence. */
  | { readonly kind: 'blank'; readonly reason: string };

export interface LineFacts {
  /** Why there is no session; null while there is one. */
  readonly ended: string | null;
  /** Age of the newest echoed sign of life. */
  readonly ageMs: number;
  /** Since the last one came, however old it was. */
  readonly silentMs: number;
}

export const CLEAR: Sight = { kind: 'clear' };

/** What may be shown at this moment. */
export function sightOf({ ended, ageMs, silentMs }: LineFacts): Sight {
  if (ended !== null) return { kind: 'blank', reason: ended };
  switch (freshnessLevel(ageMs)) {
    case 'fresh':
      return CLEAR;
    case 'grey':
      return { kind: 'grey', ageMs: Math.round(ageMs / STEP_MS) * STEP_MS };
    case 'blank': {
      const seconds = Math.floor(ageMs / 1_000);
      const reason =
        silentMs > NOTHING_COMES_MS
          ? `No sign of life from there for ${seconds} s: the line, the relay or the computer at home stands still.`
          : `Everything from there comes ${seconds} s late: the line or the relay holds it back, and a picture that old shows nothing of now.`;
      return { kind: 'blank', reason };
    }
  }
}

/** Whether a change from one to the other would tell nobody anything. */
export function sameSight(a: Sight, b: Sight): boolean {
  if (a.kind === 'grey' && b.kind === 'grey') return a.ageMs === b.ageMs;
  if (a.kind === 'blank' && b.kind === 'blank') return a.reason === b.reason;
  return a.kind === b.kind;
}

/** "1.8 s old". */
export function ageWords(ageMs: number): string {
  return `${(ageMs / 1_000).toLocaleString(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 })} s old`;
}
