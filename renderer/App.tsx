/** The frame of the interface: navigation, header, the view one is in, and what all views share. */
import { EyeOff, Radio } from 'lucide-react';
import { Tooltip } from 'radix-ui';
import { type ComponentType, lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import type { EngineClient } from './api/engine-client.ts';
import { OwnEngineProvider, useEngineEvent, useQuery } from './api/engine-context.tsx';
import { Empty } from './components/Empty.tsx';
import { Frame } from './components/Frame.tsx';
import { ShortcutsDialog } from './components/ShortcutsDialog.tsx';
import { ToastProvider } from './components/Toasts.tsx';
import { CamerasProvider, useCameras } from './state/cameras.tsx';
import { AnotherHomeProvider } from './state/another-home.tsx';
import { useIsAway, useSight } from './state/place.tsx';
import { goTo, hrefOf, useRoute, VIEWS, VIEWS_OF_ANOTHER_HOME, type ViewName } from './state/route.ts';
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
    <OwnEngineProvider client={client}>
      <Tooltip.Provider delayDuration={500}>
        <ToastProvider>
          <Homes />
        </ToastProvider>
      </Tooltip.Provider>
    </OwnEngineProvider>
  );
}

/** This home, or the one the address names: the same rooms. How they look is this computer's in both. */
function Homes(): ReactNode {
  const { homeId } = useRoute();
  const settings = useQuery('settings.get', {});
  useEngineEvent('settings.changed', settings.refresh);
  useEffect(() => applyTheme(settings.data?.theme ?? 'system'), [settings.data?.theme]);
  const homeName = settings.data?.homeName ?? '';
  const rooms = (
    <CamerasProvider>
      <Rooms homeName={homeName} />
    </CamerasProvider>
  );
  if (homeId === null) return rooms;
  return (
    <AnotherHomeProvider key={homeId} homeId={homeId}>
      {rooms}
    </AnotherHomeProvider>
  );
}

function Rooms({ homeName }: { readonly homeName: string }): ReactNode {
  const { homeId, view, cameraId } = useRoute();
  const cameras = useCameras();
  const isAway = useIsAway();
  const [shortcuts, setShortcuts] = useState(false);
  useEffect(() => listenForKeys(isAway ? VIEWS_OF_ANOTHER_HOME : VIEWS, () => setShortcuts((open) => !open)), [isAway]);
  // The first run begins with looking for cameras, and stays there until all wanted ones are added; later the way there is a button.
  // The address may name another home a moment before these rooms are left for it.
  const firstRun = homeId === null && !isAway && cameras !== null && cameras.length === 0 && view === 'watch' && cameraId === null;
  useEffect(() => {
    if (firstRun) window.location.replace(hrefOf({ homeId: null, view: 'welcome' }));
  }, [firstRun]);
  const View = VIEW_COMPONENTS[view];
  return (
    <Frame view={view} homeName={homeName}>
      <Suspense fallback={null}>{cameras === null ? <NotYet /> : firstRun ? null : isAway && cameras.length === 0 ? <NothingToSee /> : <View />}</Suspense>
      <ShortcutsDialog open={shortcuts} onOpenChange={setShortcuts} />
    </Frame>
  );
}

/** Nothing is known yet. Here that is a blink; of another home, why it takes long. */
function NotYet(): ReactNode {
  const sight = useSight();
  if (sight.kind !== 'blank') return null;
  return (
    <Empty icon={Radio} title="No line to that home yet">
      <p>{sight.reason}</p>
      <p>It is tried again and again by itself.</p>
    </Empty>
  );
}

function NothingToSee(): ReactNode {
  return (
    <Empty icon={EyeOff} title="No camera to look at">
      <p>The owner of this home lets this computer see none of its cameras at the moment. They can change that there, under Away.</p>
    </Empty>
  );
}

/** Alt and a digit goes to a view; `?` shows the keys. */
function listenForKeys(views: readonly ViewName[], onHelp: () => void): () => void {
  const onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || isTyping(event.target)) return;
    const view = event.altKey ? views[Number(event.key) - 1] : undefined;
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
