/** Another home in place of this one: whatever is inside asks its engine over the relay, and shows its pictures only while its line is alive. */
import { House, WifiOff } from 'lucide-react';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { EngineClient } from '../api/engine-client.ts';
import { EngineProvider, useEngineEvent, useOwnEngine, useQuery } from '../api/engine-context.tsx';
import { Empty } from '../components/Empty.tsx';
import { connectToHome, retryHomeMs } from '../relay/connect-to-home.ts';
import { followReach } from '../relay/follow-reach.ts';
import { HomeLine } from '../relay/home-line.ts';
import { PlaceProvider } from './place.tsx';
import { hrefOf } from './route.ts';

interface Open {
  readonly client: EngineClient;
  readonly line: HomeLine;
}

export function AnotherHomeProvider({ homeId, children }: { readonly homeId: string; readonly children: ReactNode }): ReactNode {
  const own = useOwnEngine();
  const homes = useQuery('homes.list', {});
  useEngineEvent('homes.changed', homes.refresh);
  const home = homes.data?.find(({ id }) => id === homeId) ?? null;
  const isKnown = home !== null;
  const evenMbit = home?.evenMbit;
  const [open, setOpen] = useState<Open | null>(null);
  useEffect(() => {
    if (!isKnown) return undefined;
    const line = new HomeLine();
    const client = new EngineClient({ connect: () => connectToHome(homeId, own, line), retryMs: retryHomeMs });
    const stopFollowing = followReach({ homeId, guest: client, own });
    setOpen({ client, line });
    return () => {
      stopFollowing();
      setOpen(null);
      client.close();
      line.close();
    };
    // A session asks for its rate once: another rate is another session.
  }, [own, homeId, isKnown, evenMbit]);
  const place = useMemo(() => (home === null || open === null ? null : ({ kind: 'home', home, line: open.line } as const)), [home, open]);
  if (homes.data === null) return homes.error === null ? null : <Nowhere title="This window may not look into another home" sentence={homes.error.message} />;
  if (home === null) return <Nowhere title="This computer does not know that home" sentence="It was removed from the list, or the address is of another computer." />;
  if (open === null || place === null) return null;
  return (
    <EngineProvider client={open.client}>
      <PlaceProvider place={place}>{children}</PlaceProvider>
    </EngineProvider>
  );
}

function Nowhere({ title, sentence }: { readonly title: string; readonly sentence: string }): ReactNode {
  return (
    <Empty icon={WifiOff} title={title}>
      <p>{sentence}</p>
      <a className="button primary" href={hrefOf({ homeId: null, view: 'watch' })}>
        <House size={17} aria-hidden="true" />
        Back to this home
      </a>
    </Empty>
  );
}
