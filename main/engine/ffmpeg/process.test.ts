/** Children that cannot be started because the system is out of descriptors, and those whose own children outlive them. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, vi } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { startFfmpeg } from './process.ts';

const at = (file: string): string => JSON.stringify(pathToFileURL(path.join(import.meta.dirname, file)).href);

it.skipIf(process.platform === 'win32')('without a descriptor left ends with that as its reason, also with FIFOs and after them', () => {
  const program = `
    const { startFfmpeg } = await import(${at('process.ts')});
    const { systemClock } = await import(${at('../core/clock.ts')});
    const { openSync, closeSync } = await import('node:fs');
    const start = (pipes) => startFfmpeg({ path: 'true', args: [], stdin: '', pipes, secrets: [], clock: systemClock });
    const held = [];
    try { for (;;) held.push(openSync('/dev/null')); } catch {}
    const said = [];
    for (const pipes of [0, 1, 2]) { const child = await start(pipes); said.push((await child.exited).startError?.code ?? null, (await child.stop()).startError?.code ?? null); }
    for (const fd of held) closeSync(fd);
    said.push((await (await start(1)).exited).code);
    console.log(JSON.stringify(said));
    process.exit(0);
  `;
  const run = spawnSync('sh', ['-c', 'ulimit -n 120; exec "$0" --input-type=module -e "$1"', process.execPath, program], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(JSON.parse(run.stdout)).toEqual([...Array.from({ length: 6 }, () => 'EMFILE'), 0]);
});

it.skipIf(process.platform === 'win32')('is over when it has ended, though a program that it started holds its pipes', async () => {
  const child = await startFfmpeg({ path: 'sh', args: ['-c', 'trap "" TERM; echo deaf >&2; sleep 6; true'], stdin: '', pipes: 1, secrets: [], clock: systemClock });
  await vi.waitFor(() => expect(child.lastLines()).toContain('deaf'), 10_000);
  const beganMs = performance.now();
  expect((await child.stop(100)).signal).toBe('SIGKILL');
  expect(performance.now() - beganMs).toBeLessThan(4_000);
  for (const pipe of child.pipes) pipe.close();
});
