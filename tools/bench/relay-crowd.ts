/** Many homes in one process (storm.ts starts some): each holds a control socket and comes back by itself; says how many are here when asked. */
import { randomBytes } from 'node:crypto';
import { EchoHome } from '../../relay/testing/redialing.ts';

export type CrowdOrder = { readonly do: 'come'; readonly url: string; readonly homes: number; readonly baseMs: number } | { readonly do: 'count' };

export interface CrowdCount {
  readonly here: number;
  readonly attempts: number;
}

/** So many dial at once at first: the storm comes later. */
const FIRST_AT_ONCE = 50;

/** As real homes have it. */
const CEILING_MS = 15_000;

const homes: EchoHome[] = [];

async function come(url: string, number: number, baseMs: number): Promise<void> {
  const route = randomBytes(16).toString('base64url');
  while (homes.length < number) {
    const next = Array.from({ length: Math.min(FIRST_AT_ONCE, number - homes.length) }, () => new EchoHome({ url, route, token: randomBytes(16), comeback: { baseMs, ceilingMs: CEILING_MS }, limitMs: 20_000 }));
    for (const home of next) void home.run();
    homes.push(...next);
    while (!next.every((home) => home.isHere)) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

process.on('message', (order: CrowdOrder) => {
  if (order.do === 'come') {
    void come(order.url, order.homes, order.baseMs).then(() => process.send?.({ here: homes.length, attempts: 0 }));
    return;
  }
  const count: CrowdCount = { here: homes.filter((home) => home.isHere).length, attempts: homes.reduce((sum, home) => sum + home.attempts, 0) };
  process.send?.(count);
});
process.on('disconnect', () => process.exit(0));
