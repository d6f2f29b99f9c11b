/** Runs inside a network namespace for cameras-mac.test.ts: as simulated cameras, or as Porchlight's side of finding one again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { addProbed } from '../../main/engine/cameras/add.ts';
import { createFinder } from '../../main/engine/cameras/finder.ts';
import { createNeighbourTable } from '../../main/engine/cameras/neighbours.ts';
import { createCameraNetwork } from '../../main/engine/cameras/network.ts';
import { createProber } from '../../main/engine/cameras/prober.ts';
import { openRegistry } from '../../main/engine/cameras/registry.ts';
import { openOwnerOnlySecrets } from '../../main/engine/cameras/secret-store.ts';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { startSimulator } from '../../tools/sim/simulator.ts';

const [, , role, host = '', auth = 'digest'] = process.argv;

if (role === 'camera') {
  const simulator = await startSimulator({ cameras: 1, hosts: [host], rtspPort: 554, discovery: false, controlPort: false, auth: auth === 'basic' ? 'basic' : 'digest', main: { seconds: 2, gopFrames: 10, width: 640, height: 360 }, sub: null });
  process.stdout.write('ready\n');
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'wrong-logins') process.stdout.write(`${simulator.cameras[0]?.wrongLogins}\n`);
  }
  await simulator.stop();
} else {
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-mac-'));
  const log = silentLogger;
  const network = createCameraNetwork(systemClock, log);
  const registry = await openRegistry({ clock: systemClock, log, folder, secrets: await openOwnerOnlySecrets(folder) });
  const neighbours = createNeighbourTable(systemClock);
  const prober = createProber({ network, neighbours, grabFrame: () => Promise.reject(new Error('no frame is asked for here')) });
  const camera = await addProbed(registry, await prober.probe({ kind: 'address', address: `rtsp://${host}/main` }, { username: 'viewer', password: 'porchlight' }), null);
  const finder = createFinder({ network, neighbours, search: () => Promise.resolve([]), cameras: () => registry.list(), isOffline: () => true, login: (id) => registry.login(id), relocate: (id, to) => registry.relocate(id, to) });
  process.stdout.write(`${JSON.stringify({ mac: camera.mac })}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== 'look') break;
    const moved = await finder.runOnce();
    process.stdout.write(`${JSON.stringify({ moved, url: registry.get(camera.id).streams[0]?.url })}\n`);
  }
  await registry.close();
  await rm(folder, { recursive: true, force: true });
  process.exit(0);
}
