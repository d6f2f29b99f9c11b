/** Where in the interface one is, kept in the address's hash so that a moment can be linked to. */
import { useSyncExternalStore } from 'react';
import { isCameraId, type CameraId } from '../../shared/model/ids.ts';

export const VIEWS = ['watch', 'events', 'cameras', 'storage', 'away', 'settings', 'welcome'] as const;
export type ViewName = (typeof VIEWS)[number];
/** What of another home is shown: what is there to be seen, and nothing that is run. */
export const VIEWS_OF_ANOTHER_HOME: readonly ViewName[] = ['watch', 'events'];

export interface Route {
  /** The home one looks into; null: this one. */
  readonly homeId: string | null;
  readonly view: ViewName;
  readonly atMs: number | null;
  readonly cameraId: CameraId | null;
}

export function parseRoute(hash: string): Route {
  const [, path = '', search = ''] = /^#?\/?([^?]*)(?:\?(.*))?$/.exec(hash) ?? [];
  const params = new URLSearchParams(search);
  const [, home, inner] = /^home\/([0-9a-f]{16})(?:\/(.*))?$/.exec(path) ?? [];
  const homeId = home ?? null;
  const view = (homeId === null ? VIEWS : VIEWS_OF_ANOTHER_HOME).find((name) => name === (homeId === null ? path : inner)) ?? 'watch';
  const at = Number(params.get('at') ?? Number.NaN);
  const camera = params.get('camera') ?? '';
  return { homeId, view, atMs: Number.isFinite(at) && at > 0 ? at : null, cameraId: isCameraId(camera) ? camera : null };
}

/** The address of a place in the home one is in, unless `homeId` names another (null: this one). */
export function hrefOf(route: Partial<Route> & { readonly view: ViewName }): string {
  const params = new URLSearchParams();
  if (route.atMs !== null && route.atMs !== undefined) params.set('at', String(Math.round(route.atMs)));
  if (route.cameraId !== null && route.cameraId !== undefined) params.set('camera', route.cameraId);
  const search = params.toString();
  const homeId = route.homeId === undefined ? current().homeId : route.homeId;
  return `#/${homeId === null ? '' : `home/${homeId}/`}${route.view}${search === '' ? '' : `?${search}`}`;
}

export function goTo(route: Partial<Route> & { readonly view: ViewName }): void {
  window.location.hash = hrefOf(route);
}

function subscribe(changed: () => void): () => void {
  window.addEventListener('hashchange', changed);
  return () => window.removeEventListener('hashchange', changed);
}

let parsed: { hash: string; route: Route } = { hash: '', route: parseRoute('') };

function current(): Route {
  if (typeof window === 'undefined') return parsed.route;
  if (parsed.hash !== window.location.hash) parsed = { hash: window.location.hash, route: parseRoute(window.location.hash) };
  return parsed.route;
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, current);
}
