/** Asks one host where its device service is: a WS-Discovery probe to its own address instead of the group. */
import { isIPv4 } from 'node:net';
import type { DurationMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import { orderAddresses } from './merge.ts';
import { probeNetwork } from './ws-discovery.ts';

/** Whoever answers to its own address answers fast; the second probe goes out after half a second. */
const ASK_LIMIT_MS: DurationMs = 2000;

/**
 * Device service URLs at `host` (a name or a dotted address), best first; empty where nobody answers. Addresses of other hosts are
 * left out: somebody typed this one. `port`: UDP port, 3702 but in tests.
 */
export async function askHost(clock: Clock, host: string, port?: number): Promise<readonly string[]> {
  const enough = new AbortController();
  let told: readonly string[] = [];
  await probeNetwork(
    clock,
    { targets: [{ host, ...(port === undefined ? {} : { port }) }], timeoutMs: ASK_LIMIT_MS },
    ({ device, senderHost }) => {
      if (isIPv4(host) && senderHost !== host) return;
      told = orderAddresses(device.addresses, senderHost, '', '').filter((url) => new URL(url).hostname === senderHost);
      if (told.length > 0) enough.abort();
    },
    enough.signal,
  );
  return told;
}
