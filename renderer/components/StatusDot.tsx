import type { ReactNode } from 'react';

export type Tone = 'good' | 'wrong' | 'busy' | 'plain';

/** A coloured dot beside words that say the same. */
export function StatusDot({ tone }: { readonly tone: Tone }): ReactNode {
  return <span className="dot" data-tone={tone} aria-hidden="true" />;
}
