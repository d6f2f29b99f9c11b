/** Which home is shown: this one, or another whose pictures are seen only while its line is alive. */
import { createContext, type ReactNode, useCallback, useContext, useSyncExternalStore } from 'react';
import type { RemoteHome } from '../../shared/model/remote.ts';
import type { HomeLine } from '../relay/home-line.ts';
import { CLEAR, type Sight } from '../relay/sight.ts';

export type Place =
  | { readonly kind: 'here' }
  | { readonly kind: 'home'; readonly home: RemoteHome; readonly line: HomeLine };

const PlaceContext = createContext<Place>({ kind: 'here' });

export function PlaceProvider({ place, children }: { readonly place: Place; readonly children: ReactNode }): ReactNode {
  return <PlaceContext value={place}>{children}</PlaceContext>;
}

export function usePlace(): Place {
  return useContext(PlaceContext);
}

/** Whether one looks into another home: nothing is run from there, it is only watched. */
export function useIsAway(): boolean {
  return usePlace().kind === 'home';
}

const nothing = (): void => undefined;

function useLine<T>(read: (line: HomeLine) => T, here: T): T {
  const place = usePlace();
  const line = place.kind === 'home' ? place.line : null;
  const subscribe = useCallback((changed: () => void) => line?.onChange(changed) ?? nothing, [line]);
  return useSyncExternalStore(subscribe, () => (line === null ? here : read(line)));
}

/** What may be seen of the home that is shown; always clear in one's own. */
export function useSight(): Sight {
  return useLine((line) => line.sight, CLEAR);
}

/** What a person should know about the home they look into; null where there is nothing. */
export function useLineWarning(): string | null {
  return useLine((line) => line.warning, null);
}

/** What stands between pictures and the screen: asked before each is drawn, and told when they have to go. */
export interface Veil {
  maySee(): boolean;
  onChange(listener: () => void): () => void;
}

/** Null in one's own home, where nothing stands between. */
export function useVeil(): Veil | null {
  const place = usePlace();
  return place.kind === 'home' ? place.line : null;
}
