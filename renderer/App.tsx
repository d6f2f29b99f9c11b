/** The frame of the interface: navigation, header, the view one is in, and what all views share. */
import { Tooltip } from 'radix-ui';
import { type ComponentType, lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import type { EngineClient } from './api/engine-client.ts';
import { EngineProvider, useEngineEvent, useQuery } from './api/engine-context.tsx';
import { Frame } from './components/Frame.tsx';
import { ShortcutsDialog } from './components/ShortcutsDialog.tsx';
import { ToastProvider } from './components/Toasts.tsx';
import { CamerasProvider, useCameras } from './state/cameras.tsx';
import { goTo, hrefOf, useRoute, VIEWS, type ViewName } from './state/route.ts';
import { applyTheme } from './state/theme.ts';

const VIEW_COMPONENTS: Readonly<Record<ViewName, ComponentType>> = {
  watch: lazy(async () => ({ default: (await import('./views/watch/Watch.tsx')).Watch })),
  events: lazy(async () => ({ default: (await import('./views/events/Events.tsx')).Events })),
  cameras: lazy(async () => ({ default: (await import('./views/cameras/Cameras.tsx')).Cameras })),
  storage: lazy(async () => ({ default: (await import('./views/storage/Storage.tsx')).Storage })),
  away: lazy(async () => ({ default: (await import('./views/away/Away.tsx')).Away })),
  settings: lazy(async () => ({ default: (await import('./views/settings/Settings.tsx')).Settings })),
  welcome: lazy(async () => ({ default: (await import('./views/onboarding/Onboarding.tsx')).Onboarding })),
};

export function App({ client }: { readonly client: EngineClient }): ReactNode {
  return (
    <EngineProvider client={client}>
      <Tooltip.Provider delayDuration={500}>
        <ToastProvider>
          <CamerasProvider>
            <Rooms />
          </CamerasProvider>
        </ToastProvider>
      </Tooltip.Provider>
    </EngineProvider>
  );
}

function Rooms(): ReactNode {
  const { view, cameraId } = useRoute();
  const cameras = useCameras();
  const settings = useQuery('settings.get', {});
  const [shortcuts, setShortcuts] = useState(false);
  useEngineEvent('settings.changed', settings.refresh);
  useEffect(() => applyTheme(settings.data?.theme ?? 'system'), [settings.data?.theme]);
  useEffect(() => listenForKeys(() => setShortcuts((open) => !open)), []);
  // The first run begins with looking for cameras, and stays there until all wanted ones are added; later the way there is a button.
  const firstRun = cameras !== null && cameras.length === 0 && view === 'watch' && cameraId === null;
  useEffect(() => {
    if (firstRun) window.location.replace(hrefOf({ view: 'welcome' }));
  }, [firstRun]);
  const View = VIEW_COMPONENTS[view];
  return (
    <Frame view={view} homeName={settings.data?.homeName ?? ''}>
      <Suspense fallback={null}>
        {cameras === null || firstRun ? null : <View />}
      </Suspense>
      <ShortcutsDialog open={shortcuts} onOpenChange={setShortcuts} />
    </Frame>
  );
}

/** Alt and a digit goes to a view; `?` shows the keys. */
function listenForKeys(onHelp: () => void): () => void {
  const onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || isTyping(event.target)) return;
    const view = event.altKey ? VIEWS[Number(event.key) - 1] : undefined;
    if (view !== undefined) {
      event.preventDefault();
      goTo({ view });
    } else if (event.key === '?') onHelp();
  };
  window.addEventListener('keydown', onKey);
  return () => window.removeEventListener('keydown', onKey);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));
}
