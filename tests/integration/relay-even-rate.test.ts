/** Even amounts, chosen at the viewer's engine and kept there: what a real relay sees of a session is the same with much moving and with little. */
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { EngineClient } from '../../renderer/api/engine-client.ts';
import { connectToHome } from '../../renderer/relay/connect-to-home.ts';
import { HomeLine } from '../../renderer/relay/home-line.ts';
import { pairOver } from '../../renderer/relay/pair.ts';
import { readCode } from '../../renderer/relay/read-offer.ts';
import { MAX_RECORD_BYTES } from '../../shared/relay/protocol.ts';
import { TestEngine } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';
import { connected, endAll, homeAt, PORCH, relayWith, stops, watch } from './relay-home-rig.ts';

afterEach(endAll);

const SECONDS = 4;
const EVEN_MBIT = 8;

test('what a relay sees is the same for a picture with much in it and one with little, once that was chosen, and not before', async () => {
  const sizes = { toViewer: [] as number[], toHome: [] as number[] };
  const relay = await relayWith({
    handOver: ({ to, message, deliver }) => {
      (to.role === 'viewer' ? sizes.toViewer : sizes.toHome).push(message.length);
      deliver(to, message);
    },
  });
  const home = await homeAt([relay.url]);
  await connected(home);
  const away = await TestEngine.started();
  stops.push(() => away.end());
  const code = readCode((await home.service.beginPairing('code')).text);
  if ('problem' in code) throw new Error(code.problem);
  let digits = '';
  const pairing = pairOver({ offer: code.offer, deviceName: 'Laptop', signal: AbortSignal.timeout(60_000), onDigits: (shown) => (digits = shown), keep: (kept) => away.ask('homes.add', kept) });
  await waitFor('the laptop to come, and to show its digits', () => digits !== '' && home.service.offer()?.candidate);
  await home.service.allowPairing({ digits, name: 'Laptop', grants: { cameras: [{ cameraId: PORCH, rights: ['live', 'sound'] }], untilMs: null } });
  const { id: homeId } = await pairing;

  /** Sizes of all messages of some seconds of a session that shows one stream. */
  const look = async (stream: 'main' | 'sub'): Promise<{ readonly toViewer: readonly number[]; readonly toHome: readonly number[]; readonly pictures: number }> => {
    const client = new EngineClient({ connect: () => connectToHome(homeId, away.client, new HomeLine()), retryMs: () => 100 });
    try {
      await client.ask('cameras.list', {});
      const seen = watch(client, stream);
      await waitFor('pictures', () => seen.pictures > 25);
      sizes.toViewer = [];
      sizes.toHome = [];
      const before = seen.pictures;
      await systemClock.sleep(SECONDS * 1_000);
      return { toViewer: [...sizes.toViewer], toHome: [...sizes.toHome], pictures: seen.pictures - before };
    } finally {
      client.close();
      await waitFor('it to be gone', () => home.service.watching().length === 0);
    }
  };
  const kinds = (all: readonly number[]): readonly number[] => [...new Set(all)].toSorted((a, b) => a - b);

  const [muchUneven, littleUneven] = [await look('main'), await look('sub')];
  const sum = (all: readonly number[]): number => all.reduce((total, size) => total + size, 0);
  expect(sum(muchUneven.toViewer)).toBeGreaterThan(5 * sum(littleUneven.toViewer));

  await away.ask('homes.setEvenRate', { homeId, mbit: EVEN_MBIT });
  const [much, little] = [await look('main'), await look('sub')];
  for (const { toViewer, toHome, pictures } of [much, little]) {
    expect(pictures).toBeGreaterThan(SECONDS * 10);
    // One size for all that may be a picture, both ways, and that of signs of life.
    expect(kinds(toViewer)).toEqual([256, MAX_RECORD_BYTES]);
    expect(kinds(toHome)).toEqual([256, 1_024]);
    const perSecond = toViewer.filter((size) => size === MAX_RECORD_BYTES).length / SECONDS;
    expect(perSecond / ((EVEN_MBIT * 1_000_000) / 8 / MAX_RECORD_BYTES)).toBeGreaterThan(0.85);
    expect(perSecond / ((EVEN_MBIT * 1_000_000) / 8 / MAX_RECORD_BYTES)).toBeLessThan(1.15);
  }

  await away.ask('homes.setEvenRate', { homeId, mbit: null });
  expect(sum((await look('sub')).toViewer)).toBeLessThan(sum(little.toViewer) / 5);
}, 120_000);
