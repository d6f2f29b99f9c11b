/** The disk of the data folder is full of somebody else's files when an engine is killed: the next life records all the same, and says so. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { DataSpace } from '../../main/engine/process/data-space.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { startSimulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { whyNoMounts } from '../support/mounts.ts';
import { waitFor } from '../support/wait.ts';

const SIZE_MB = 240;

test('an engine that is killed while its data folder’s disk is full comes back and records', async (context) => {
  const missing = await whyNoMounts();
  if (missing !== null) context.skip(missing);
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-data-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m`, 'none', folder]);
  const size = { width: 320, height: 180, fps: 10, kbps: 250, gopFrames: 10, seconds: 10 };
  const simulator = await startSimulator({ cameras: 1, hosts: ['127.0.66.2'], source: 'test', main: size, sub: null, audio: 'none', discovery: false });
  const engine = await TestEngine.started({ init: { dataDir: path.join(folder, 'data') } });
  try {
    const { id } = await engine.add(forceUnwrap('the simulator has one', simulator.cameras[0]));
    await engine.footage(id, 2);
    // The engine does so after a minute.
    await new DataSpace(engine.init.dataDir).look(true);
    const other = path.join(folder, 'other');
    await expect(writeFile(other, Buffer.alloc(SIZE_MB * 1024 * 1024))).rejects.toThrow('ENOSPC');
    await waitFor('the warning', async () => (await engine.info()).warnings.find(({ kind }) => kind === 'data-full'));
    const before = engine.kill();
    const sinceMs = Date.now();
    await waitFor('footage of the next life', async () => engine.pid !== before && ((await engine.timeline(id)).spans.at(-1)?.endMs ?? 0) > sinceMs + 3_000, 30_000);
    await unlink(other);
    await waitFor('the warning to go', async () => !(await engine.info()).warnings.some(({ kind }) => kind === 'data-full'));
  } finally {
    await engine.end();
    await simulator.stop();
    execFileSync('umount', ['-l', folder]);
    await rm(folder, { recursive: true, force: true });
  }
});
