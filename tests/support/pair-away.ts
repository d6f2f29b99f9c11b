/** A home and another Porchlight that is paired with it over a relay, as two people do it by the code. */
import { pairOver } from '../../renderer/relay/pair.ts';
import { readCode } from '../../renderer/relay/read-offer.ts';
import type { InputOf } from '../../shared/contract/engine-api.ts';
import type { RemoteHome } from '../../shared/model/remote.ts';
import type { TestEngine } from './engine.ts';
import { waitFor } from './wait.ts';

const LIMIT_MS = 120_000;

/** Turns watching from away on at `home`, waits for it at the relay, and lets `away` in with the digits that it showed. */
export async function pairAway({ home, away, relayUrl, grants }: { readonly home: TestEngine; readonly away: TestEngine; readonly relayUrl: string; readonly grants: InputOf<'remote.allowPairing'>['grants'] }): Promise<RemoteHome> {
  await home.ask('remote.setRelays', { enabled: true, relays: [relayUrl] });
  await waitFor('the home to be at the relay', async () => (await home.ask('remote.state', {})).relays[0]?.phase === 'connected');
  const code = readCode((await home.ask('remote.beginPairing', { kind: 'code' })).text);
  if ('problem' in code) throw new Error(code.problem);
  let digits = '';
  const pairing = pairOver({ offer: code.offer, deviceName: 'Laptop', signal: AbortSignal.timeout(LIMIT_MS), onDigits: (shown) => (digits = shown), keep: (kept) => away.ask('homes.add', kept) });
  await waitFor('the laptop to come, and to show its digits', async () => digits !== '' && (await home.ask('remote.state', {})).offer?.candidate);
  await home.ask('remote.allowPairing', { digits, name: 'Laptop', grants });
  return await pairing;
}
