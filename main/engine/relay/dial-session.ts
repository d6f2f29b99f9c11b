/** Meets a viewer that rang: the home's own socket for that session, up to `joined`. */
import { PorchlightError } from '../../../shared/errors.ts';
import type { Wire } from '../../../shared/relay/wire.ts';
import { type DurationMs, SECOND_MS } from '../../../shared/time.ts';
import type { Ring } from './dial-control.ts';
import { dialRelay, type DialParts } from './dial-socket.ts';

/** The relay keeps a viewer waiting no longer than that. */
const JOIN_MS: DurationMs = 10 * SECOND_MS;

/** A wire to the viewer that rang. Rejects with a PorchlightError where the relay or the viewer is gone. */
export async function meetViewer(parts: DialParts, ring: Ring, signal: AbortSignal): Promise<Wire> {
  const late = new AbortController();
  const cancel = parts.clock.after(JOIN_MS, () => late.abort());
  const both = AbortSignal.any([signal, late.signal]);
  try {
    const socket = await dialRelay(parts, ring, { role: 'home-session', body: ring.sessionKey }, both);
    if ((await socket.next(both)).type === 'joined') return socket;
    socket.close('no session');
    throw new PorchlightError('bad-answer', 'What answers at this address is not a Porchlight relay.');
  } finally {
    cancel();
  }
}
