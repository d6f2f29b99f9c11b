/** Says that one looks into another home, how the line to it is, and leads back. */
import { Eye, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { RemoteHome } from '../../shared/model/remote.ts';
import { ageWords, type Sight } from '../relay/sight.ts';
import { useLineWarning, useSight } from '../state/place.tsx';
import { hrefOf } from '../state/route.ts';
import { StatusDot, type Tone } from './StatusDot.tsx';
import './AwayBanner.css';

const TONES: Readonly<Record<Sight['kind'], Tone>> = { clear: 'good', grey: 'busy', blank: 'wrong' };

export function AwayBanner({ home }: { readonly home: RemoteHome }): ReactNode {
  const sight = useSight();
  const warning = useLineWarning();
  return (
    <>
      <div className="away-banner" data-sight={sight.kind}>
        <Eye size={16} aria-hidden="true" />
        <span>
          Looking into <strong>{home.name}</strong>
        </span>
        <a href={hrefOf({ homeId: null, view: 'watch' })}>Back to this home</a>
        <span className="spring" />
        <span className="away-line">
          <StatusDot tone={TONES[sight.kind]} />
          <span className="numbers">{lineWords(sight)}</span>
        </span>
      </div>
      {warning === null ? null : (
        <p className="notice" role="status">
          <TriangleAlert size={16} aria-hidden="true" />
          {warning}
        </p>
      )}
    </>
  );
}

function lineWords(sight: Sight): string {
  switch (sight.kind) {
    case 'clear':
      return 'The line is good';
    case 'grey':
      return `The line is slow: pictures are ${ageWords(sight.ageMs)}`;
    case 'blank':
      return sight.reason;
  }
}
