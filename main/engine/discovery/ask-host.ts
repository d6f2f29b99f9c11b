/** Asks one host who it is and where its device service is: a WS-Discovery probe to its own address instead of the group. */
import { isIPv4 } from 'node:net';
import type { DurationMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import { orderAddresses } from './merge.ts';
import { probeNetwork } from './ws-discovery.ts';

/** Whoever answers to its own address answers fast; the second probe goes out after half a second. */
const ASK_LIMIT_MS: DurationMs = 2000;

/** A device at the host that was asked. */
export interface ToldDevice {
  /** Endpoint reference without prefix, in lower case; empty where it gave none. */
  readonly endpoint: string;
  /** Device service URLs at that host, best first; at least one. */
  readonly urls: readonly string[];
}

/**
 * The first device at `host` (a name or a dotted address) that is `wanted`; null where none answers. Addresses of other hosts are left
 * out: somebody typed this one. `port`: UDP port, 3702 but in tests.
 */
export async function askHost(clock: Clock, host: string, wanted: (told: ToldDevice) => boolean, port?: number): Promise<ToldDevice | null> {
  // The search is by IPv4.
  if (host.startsWith('[')) return null;
  const enough = new AbortController();
  const found: ToldDevice[] = [];
  await probeNetwork(
    clock,
    { targets: [{ host, ...(port === undefined ? {} : { port }) }], timeoutMs: ASK_LIMIT_MS },
    ({ device, senderHost }) => {
      if (isIPv4(host) && senderHost !== host) return;
      const urls = orderAddresses(device.addresses, senderHost, '', '').filter((url) => new URL(url).hostname === senderHost);
      const told = { endpoint: device.endpoint, urls };
      if (urls.length === 0 || !wanted(told)) return;
      found.push(told);
      enough.abort();
    },
    enough.signal,
  );
  return found[0] ?? null;
}
