/** The wall time, renewed at a pace, for lists that say how long ago. */
import { useEffect, useState } from 'react';
import type { EpochMs } from '../../shared/time.ts';

export function useNow(everyMs: number): EpochMs {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return nowMs;
}
