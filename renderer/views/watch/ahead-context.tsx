/** Shares the picture that is made ready under the pointer between the timeline, which knows the moment, and the tiles, which show it. */
import { createContext, type ReactNode, useContext, useEffect, useMemo } from 'react';
import { useEngine } from '../../api/engine-context.tsx';
import { AheadPicture } from '../../player/ahead-picture.ts';

const AheadContext = createContext<AheadPicture | null>(null);

/** One for the screen; it lets go of everything with it. */
export function useAheadPicture(): AheadPicture {
  const client = useEngine();
  const ahead = useMemo(() => new AheadPicture(client), [client]);
  useEffect(() => () => ahead.close(), [ahead]);
  return ahead;
}

export function AheadProvider({ ahead, children }: { readonly ahead: AheadPicture; readonly children: ReactNode }): ReactNode {
  return <AheadContext value={ahead}>{children}</AheadContext>;
}

/** Null where nothing is made ready. */
export function useSharedAhead(): AheadPicture | null {
  return useContext(AheadContext);
}
