/** Relays as their owner meets them: one that was left is named with those who do not know it yet, and what relays were given is saved as a file. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '@playwright/test';
import { readPcapng } from '../../main/engine/relay/testing/read-pcapng.ts';
import { startRelay } from '../../relay/server.ts';
import { pairOver } from '../../renderer/relay/pair.ts';
import { readCode } from '../../renderer/relay/read-offer.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { TestEngine } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const LONG_MS = 60_000;

test('a relay that is left is waited at for who is away, and may be left now', async ({ page }) => {
  const [first, second] = await Promise.all([startRelay(), startRelay()]);
  const home = await TestEngine.make({ entry: path.join(ROOT, 'dist/main/engine-main.js'), init: { mode: 'serve', serve: { address: '127.0.0.1', port: 0, pageDir: path.join(ROOT, 'dist/renderer'), password: null } } });
  try {
    const serving = forceUnwrap('it serves', await home.start());
    await home.ask('remote.setRelays', { enabled: true, relays: [first.url] });
    const code = readCode((await home.ask('remote.beginPairing', { kind: 'code' })).text);
    if ('problem' in code) throw new Error(code.problem);
    const kept = { id: '0'.repeat(16), name: 'Home', relays: [first.url], pairedMs: 0, logHead: null };
    const pairing = pairOver({ offer: code.offer, deviceName: 'Phone', signal: AbortSignal.timeout(LONG_MS), onDigits: () => undefined, keep: async () => kept });
    const { digits } = await waitFor('the phone to come', async () => (await home.ask('remote.state', {})).offer?.candidate);
    await home.ask('remote.allowPairing', { digits, name: 'Phone', grants: { cameras: [{ cameraId: 'cam-aaaaaaaaaaaa' as CameraId, rights: ['live'] }], untilMs: null } });
    await pairing;
    await home.ask('remote.setRelays', { enabled: true, relays: [second.url] });
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(serving.url);
    await page.goto(`${new URL(serving.url).origin}/#/away`);
    const relays = page.getByRole('region', { name: 'Relays' });
    await expect(relays).toContainText('Phone does not know yet that you changed the relays.');
    await expect(relays).toContainText(`:${first.port}`);

    await page.getByText('What the relay sees').click();
    const [saved] = await Promise.all([page.waitForEvent('download', { timeout: 15_000 }), page.getByRole('button', { name: 'Save for Wireshark' }).click({ timeout: 15_000 })]);
    expect(saved.suggestedFilename()).toMatch(/^porchlight-relay-[\d-]+\.pcapng$/);
    expect(readPcapng(await readFile(await saved.path())).length).toBeGreaterThan(4);

    await relays.getByRole('button', { name: 'Leave now' }).click();
    await expect(relays).not.toContainText('Phone');
    expect((await home.ask('remote.state', {})).leaving).toBeNull();
    await waitFor('the home to be gone from there', () => (first.counters.controlSockets === 0 ? true : null));
    expect(complaints).toEqual([]);
  } finally {
    await home.end();
    await Promise.all([first.stop(0), second.stop(0)]);
  }
});
