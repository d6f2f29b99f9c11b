/** Killed processes: what stays, what is lost, and that nobody is left behind (I4, R5, R7). */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { open } from 'node:fs/promises';
import { ChildLedger, processIdentity } from '../../main/engine/ffmpeg/ledger.ts';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { scanSegment } from '../../shared/media/scan.ts';
import { startChild } from '../support/child.ts';
import { type SimulatorProcess, startSimulatorProcess } from '../support/simulator-process.ts';
import { childrenOf, decodeErrors, Rig, until } from './recorder-rig.ts';

/** I4 says a second (the fault suite measures it); a machine that is busy with other tests gets as much again. */
const LOST_MS = 2_000;
const PASSWORD = 'blaue-Kiste-77';
let simulator: SimulatorProcess;
let rig: Rig;

beforeAll(async () => {
  simulator = await startSimulatorProcess(['--cameras', '1', '--source', 'live', '--discovery-port', '0', '--password', PASSWORD]);
});
afterAll(async () => {
  await simulator.stop();
});
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(async () => {
  await rig.stop();
});

function wanted() {
  const [camera] = simulator.cameras;
  if (camera === undefined) throw new Error('no camera');
  return rig.stream({ url: camera.rtspMain, username: camera.username, password: camera.password, sound: 'copy' });
}

async function ffmpegOf(owner: number): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await childrenOf(owner)) if ((await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).startsWith('ffmpeg')) found.push(pid);
  return found;
}

const gone = async (pid: number): Promise<boolean> => (await processIdentity(pid)) === null;

describe('ffmpeg killed', () => {
  it('is replaced at once and nothing that was whole is lost', async () => {
    await rig.record(wanted());
    await rig.footage(3);
    const [pid] = await rig.until('ffmpeg', async () => {
      const pids = await ffmpegOf(process.pid);
      return pids.length > 0 && pids;
    });
    const killedMs = Date.now();
    process.kill(pid ?? 0, 'SIGKILL');
    const ended = await rig.until('footage again', () => rig.all('outage-ended').find((notice) => notice.sinceMs !== null));
    // Half a second of waiting, connecting, one keyframe distance (1 s), and what a busy machine takes to start a program.
    expect(ended.atMs - killedMs).toBeLessThan(8_000);
    await rig.ingest.stop();
    const [first] = rig.segments;
    expect(killedMs - (first?.endMs ?? 0)).toBeLessThan(LOST_MS);
    for (const file of await rig.files()) expect(decodeErrors(file)).toBe('');
  });

  it('shows its password to nobody', async () => {
    await rig.record(wanted());
    await rig.footage(1);
    for (const pid of await ffmpegOf(process.pid)) {
      const seen = (await readFile(`/proc/${pid}/cmdline`, 'utf8')) + (await readFile(`/proc/${pid}/environ`, 'utf8'));
      expect(seen).not.toContain(PASSWORD);
    }
    expect(JSON.stringify(rig.notices) + rig.log.join('')).not.toContain(`:${PASSWORD}`);
  });
});

describe('the owner killed', () => {
  async function startOwner() {
    const child = startChild(process.execPath, [path.join(import.meta.dirname, 'recorder-owner.ts')]);
    child.process.stdin?.write(`${JSON.stringify({ stream: wanted(), folder: rig.folder })}\n`);
    await child.waitForLine((line) => (line.includes('"live"') ? line : null), 20_000);
    return child;
  }

  it('leaves a file that is whole up to its last second, and no child, though the camera is stalled', async () => {
    const owner = await startOwner();
    const [file] = await until('a file of three seconds', async () => {
      const files = await rig.files();
      const size = files[0] === undefined ? 0 : (await stat(files[0])).size;
      return size > 200_000 && files;
    });
    const children = await ffmpegOf(owner.pid);
    expect(children.length).toBe(1);
    await simulator.tell(1, 'quirks/stall', { value: true });
    try {
      const killedMs = Date.now();
      owner.process.kill('SIGKILL');
      // Before it would end by itself, 8 s after the last byte.
      await until('no child left', () => gone(children[0] ?? 0), 6_000);
      const handle = await open(file ?? '', 'r');
      const size = (await handle.stat()).size;
      const scan = await scanSegment(async (start, end) => {
        const bytes = Buffer.alloc(Math.max(0, Math.min(end, size) - start));
        await handle.read(bytes, 0, bytes.length, start);
        return bytes;
      }, size);
      await handle.close();
      expect(scan?.startMs).not.toBeNull();
      const endMs = (scan?.startMs ?? 0) + (scan?.videoEndMs ?? 0);
      const sent = (await simulator.sendLog(1, 'main')).findLast((entry) => entry.clients > 0 && entry.sentMs < killedMs);
      expect((sent?.capturedMs ?? 0) - endMs).toBeLessThan(LOST_MS);
    } finally {
      await simulator.tell(1, 'quirks/stall', { value: false });
      await owner.stop();
    }
  });

  it('of an earlier life leaves an orphan that the next life ends, and no innocent process', async () => {
    const orphan = spawn('sleep', ['60'], { stdio: 'ignore' });
    const innocent = spawn('sleep', ['60'], { stdio: 'ignore' });
    const ended = once(orphan, 'exit');
    try {
      const before = new ChildLedger(rig.folder);
      await before.add(orphan.pid ?? 0);
      await before.add(innocent.pid ?? 0);
      await before.remove(innocent.pid ?? 0);
      expect(await new ChildLedger(rig.folder).reapOrphans()).toEqual([orphan.pid]);
      expect((await ended)[1]).toBe('SIGKILL');
      expect(await gone(innocent.pid ?? 0)).toBe(false);
      expect(await new ChildLedger(rig.folder).reapOrphans()).toEqual([]);
    } finally {
      orphan.kill('SIGKILL');
      innocent.kill('SIGKILL');
    }
  });
});
