/** Where in the interface one is, kept in the address's hash so that a moment can be linked to. */
import { useSyncExternalStore } from 'react';
import { isCameraId, type CameraId } from '../../shared/model/ids.ts';

export const VIEWS = ['watch', 'events', 'cameras', 'storage', 'away', 'settings', 'welcome'] as const;
export type ViewName = (typeof VIEWS)[number];

export interface Route {
  readonly view: ViewName;
  readonly atMs: number | null;
  readonly cameraId: CameraId | null;
}

export function parseRoute(hash: string): Route {
  const [, path = '', search = ''] = /^#?\/?([^?]*)(?:\?(.*))?$/.exec(hash) ?? [];
  const params = new URLSearchParams(search);
  const view = VIEWS.find((name) => name === path) ?? 'watch';
  const at = Number(params.get('at') ?? Number.NaN);
  const camera = params.get('camera') ?? '';
  return { view, atMs: Number.isFinite(at) && at > 0 ? at : null, cameraId: isCameraId(camera) ? camera : null };
}

export function hrefOf(route: Partial<Route> & { readonly view: ViewName }): string {
  const params = new URLSearchParams();
  if (route.atMs !== null && route.atMs !== undefined) params.set('at', String(Math.round(route.atMs)));
  if (route.cameraId !== null && route.cameraId !== undefined) params.set('camera', route.cameraId);
  const search = params.toString();
  return `#/${route.view}${search === '' ? '' : `?${search}`}`;
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
  if (parsed.hash !== window.location.hash) parsed = { hash: window.location.hash, route: parseRoute(window.location.hash) };
  return parsed.route;
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, current);
}
