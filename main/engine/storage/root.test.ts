import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RootId } from '../../../shared/model/ids.ts';
import { createRoot, diskSpace, IDENTITY_FILE, openRoot } from './root.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'porchlight-root-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Root in a Linux that lets it mount: whole folders can then be made read-only, which root otherwise ignores. */
const canMount = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
const NOW_MS = Date.UTC(2026, 10, 21);

describe('a root', () => {
  it('is made once and keeps its identity', async () => {
    const made = await createRoot(path.join(folder, 'a', 'footage'), NOW_MS);
    const again = await createRoot(made.path, NOW_MS + 5);
    const opened = await openRoot(made.path, made.rootId);
    expect([again, opened]).toEqual([made, made]);
    expect(await readdir(made.path)).toEqual([IDENTITY_FILE]);
    expect(JSON.parse(await readFile(path.join(made.path, IDENTITY_FILE), 'utf8'))).toEqual({ format: 1, rootId: made.rootId, createdMs: NOW_MS });
  });

  it('gets one identity when two programs make it at once', async () => {
    const made = await Promise.all([1, 2, 3, 4].map(() => createRoot(path.join(folder, 'footage'), NOW_MS)));
    expect(new Set(made.map((root) => root.rootId)).size).toBe(1);
    expect(await readdir(path.join(folder, 'footage'))).toEqual([IDENTITY_FILE]);
  });

  it('is made in an empty disk that holds only what systems put there', async () => {
    await mkdir(path.join(folder, 'lost+found'));
    await expect(createRoot(folder, NOW_MS)).resolves.toMatchObject({ path: folder });
  });

  it('is not made among other files', async () => {
    await writeFile(path.join(folder, 'holiday.jpg'), 'x');
    await expect(createRoot(folder, NOW_MS)).rejects.toMatchObject({ kind: 'conflict' });
    expect(await readdir(folder)).toEqual(['holiday.jpg']);
  });

  it('that is an empty mount point is missing', async () => {
    await expect(openRoot(folder, null)).rejects.toMatchObject({ kind: 'disk-missing' });
    await expect(openRoot(path.join(folder, 'no'), null)).rejects.toMatchObject({ kind: 'disk-missing' });
  });

  it('that is another disk is refused', async () => {
    const a = await createRoot(path.join(folder, 'a'), NOW_MS);
    const b = await createRoot(path.join(folder, 'b'), NOW_MS);
    await rename(a.path, path.join(folder, 'away'));
    await symlink(b.path, a.path);
    await expect(openRoot(a.path, a.rootId)).rejects.toMatchObject({ kind: 'disk-wrong' });
  });

  it.each(['', '{', '[]', 'null', '{"format":2,"rootId":"disk-aaaaaaaaaaaa"}', '{"format":1,"rootId":"../../etc"}', '{"format":1}'])('whose identity file is %j is refused', async (text) => {
    await writeFile(path.join(folder, IDENTITY_FILE), text);
    await expect(openRoot(folder, 'disk-aaaaaaaaaaaa' as RootId)).rejects.toMatchObject({ kind: 'disk-wrong' });
  });

  it('that has become read-only is refused', async ({ skip }) => {
    skip(!canMount, 'mounting needs root on Linux');
    execFileSync('mount', ['-t', 'tmpfs', 'none', folder]);
    try {
      const root = await createRoot(folder, NOW_MS);
      execFileSync('mount', ['-o', 'remount,ro', folder]);
      await expect(openRoot(folder, root.rootId)).rejects.toMatchObject({ kind: 'disk-read-only' });
    } finally {
      execFileSync('umount', [folder]);
    }
  });

  it('whose folder forbids writing is refused', async ({ skip }) => {
    skip(process.getuid?.() === 0 || process.platform === 'win32', 'root may write everywhere, and Windows has no such bits');
    const root = await createRoot(folder, NOW_MS);
    await chmod(folder, 0o555);
    await expect(openRoot(folder, root.rootId)).rejects.toMatchObject({ kind: 'disk-read-only' });
    await chmod(folder, 0o755);
  });

  it('is not made where the system makes no folders', async ({ skip }) => {
    skip(process.platform !== 'linux', 'only Linux has /proc/sys');
    await expect(createRoot('/proc/sys/kernel/porchlight', NOW_MS)).rejects.toMatchObject({ kind: expect.stringMatching(/^disk-(read-only|missing)$/) });
  });

  it('tells the size and free space of its disk', async () => {
    const space = await diskSpace(folder);
    expect(space.freeBytes).toBeGreaterThan(0);
    expect(space.diskBytes).toBeGreaterThanOrEqual(space.freeBytes);
    await expect(diskSpace(path.join(folder, 'no'))).rejects.toMatchObject({ kind: 'disk-missing' });
  });
});
