/** Where the home waits and what it answers to, by the day; which addresses are relays; how often a token may ring. */
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../shared/relay/bytes.ts';
import { routeOf } from '../../../shared/relay/derive.ts';
import { orderRelays } from '../../../shared/relay/rendezvous.ts';
import { routeDays, tokenDays, waitingPlaces } from './dial.ts';
import { relayUrlProblem } from './dial-socket.ts';
import { RingLimiter } from './home-rings.ts';
import { HomeTokens } from './home-tokens.ts';
import { nodeSuite } from './node-suite.ts';

const at = (text: string): number => Date.parse(text);

describe('the days a home waits for', () => {
  test('are one by day, and both within half an hour of midnight UTC', () => {
    expect(routeDays(at('2026-11-21T12:00:00Z'))).toEqual(['2026-11-21']);
    expect(routeDays(at('2026-11-21T23:29:59Z'))).toEqual(['2026-11-21']);
    expect(routeDays(at('2026-11-21T23:30:00Z')).toSorted()).toEqual(['2026-11-21', '2026-11-22']);
    expect(routeDays(at('2026-11-22T00:29:59Z')).toSorted()).toEqual(['2026-11-21', '2026-11-22']);
    expect(routeDays(at('2026-11-22T00:30:00Z'))).toEqual(['2026-11-22']);
    expect(tokenDays(at('2026-01-01T00:10:00Z'))).toEqual(['2025-12-31', '2026-01-01', '2026-01-02']);
  });

  test('have two relays each, those a viewer tries first', async () => {
    const urls = ['wss://a.example', 'wss://b.example', 'wss://c.example', 'wss://d.example', 'wss://e.example'];
    const seed = nodeSuite.random(32);
    const places = await waitingPlaces(nodeSuite, urls, seed, at('2026-11-21T23:45:00Z'));
    expect(places).toHaveLength(4);
    for (const day of ['2026-11-21', '2026-11-22']) {
      const route = await routeOf(nodeSuite, seed, day);
      const order = await orderRelays(nodeSuite, urls, route);
      expect(places.filter((place) => toHex(place.route) === toHex(route)).map(({ url }) => url)).toEqual(order.slice(0, 2));
    }
    expect(await waitingPlaces(nodeSuite, ['wss://a.example'], seed, at('2026-11-21T12:00:00Z'))).toHaveLength(1);
    expect(await waitingPlaces(nodeSuite, [], seed, 0)).toEqual([]);
  });
});

test('a device has three tokens, until its time is over', async () => {
  const device = (id: string, untilMs: number | null) => ({ id, name: id, publicKey: nodeSuite.random(32), psk: nodeSuite.random(32), ringSeed: nodeSuite.random(32), grants: { cameras: [], untilMs } });
  const tokens = new HomeTokens();
  const found = await tokens.find(nodeSuite, [device('one', null), device('over', 1_000)], 1_000);
  expect(found.map((token) => tokens.deviceOf(token))).toEqual(['one', 'one', 'one']);
  expect(tokens.deviceOf(nodeSuite.random(16))).toBeNull();
  expect((await tokens.find(nodeSuite, Array.from({ length: 30 }, (_, number) => device(String(number), null)), 0)).length).toBe(64);
});

describe('an address', () => {
  test.each(['wss://relay.example.org', 'wss://relay.example.org:8443/porch', 'wss://[2001:db8::1]', 'ws://127.0.0.1:7450', 'ws://localhost:7450', 'ws://[::1]:1'])('%s may be dialled', (url) => {
    expect(relayUrlProblem(url)).toBeNull();
  });

  test.each(['ws://relay.example.org', 'ws://127.0.0.1.example.org', 'ws://10.0.0.1', 'https://relay.example.org', 'wss://me:secret@relay.example.org', 'wss://relay.example.org/?a', 'wss://relay.example.org/#a', 'relay.example.org', ''])('%s may not', (url) => {
    expect(relayUrlProblem(url)).toMatch(/\.$/);
  });
});

test('a token rings five times a second, each for itself', () => {
  const limiter = new RingLimiter();
  const [one, other] = [new Uint8Array(16), new Uint8Array(16).fill(1)];
  const rings = (token: Uint8Array, fromMs: number): number => Array.from({ length: 20 }, (_, number) => limiter.take(token, fromMs + number)).filter(Boolean).length;
  expect([rings(one, 0), rings(one, 500), rings(other, 500), rings(one, 1_020)]).toEqual([5, 0, 5, 5]);
});
