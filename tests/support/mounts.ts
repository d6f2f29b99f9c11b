/** Disks that come and go: mounts of a test's own, always taken back. Mounting needs root; where it is impossible, `whyNoMounts` says so. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Null where this process may mount; otherwise why not, for the name of what is skipped. */
export async function whyNoMounts(): Promise<string | null> {
  if (process.platform !== 'linux') return 'these mounts are made on Linux only';
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-mount-'));
  try {
    await run('mount', ['-t', 'tmpfs', 'tmpfs', folder]);
    await run('umount', [folder]);
    return null;
  } catch (error) {
    return `this user may not mount (${error instanceof Error ? (error.message.split('\n')[1] ?? error.message) : String(error)})`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Null where a file system in a file can be made, mounted and frozen; otherwise why not. It takes a loop device, mkfs.ext4 and fsfreeze. */
export async function whyNoImages(): Promise<string | null> {
  const noMounts = await whyNoMounts();
  if (noMounts !== null) return noMounts;
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-image-'));
  const mount = new Mount(path.join(folder, 'point'));
  try {
    await mount.image(path.join(folder, 'image'), 8);
    await mount.freeze();
    return null;
  } catch (error) {
    return `a file system in a file cannot be mounted and frozen here (${error instanceof Error ? error.message.trim().replaceAll('\n', ': ') : String(error)})`;
  } finally {
    await mount.end();
    await rm(folder, { recursive: true, force: true });
  }
}

/** One mount point. */
export class Mount {
  readonly point: string;
  #mounted = 0;
  #frozen = false;

  constructor(point: string) {
    this.point = point;
  }

  /** Another folder appears here too. */
  async bind(folder: string): Promise<void> {
    await mkdir(this.point, { recursive: true });
    await this.#mount(['--bind', folder, this.point]);
  }

  /** A disk in memory of this size. */
  async tmpfs(megabytes: number): Promise<void> {
    await mkdir(this.point, { recursive: true });
    await this.#mount(['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', this.point]);
  }

  /** A file system in a file, which can be frozen; with further options of mount(8). */
  async image(file: string, megabytes: number, options: readonly string[] = []): Promise<void> {
    await mkdir(this.point, { recursive: true });
    await run('truncate', ['-s', `${megabytes}M`, file]);
    await run('mkfs.ext4', ['-q', file]);
    await this.again(file, options);
  }

  /** The file system in this file once more, as it was left. */
  async again(file: string, options: readonly string[] = []): Promise<void> {
    await this.#mount(['-o', ['loop', ...options].join(','), file, this.point]);
  }

  async readOnly(yes: boolean): Promise<void> {
    await run('mount', ['-o', `remount,bind,${yes ? 'ro' : 'rw'}`, this.point]);
  }

  /** Every write waits until it is thawed. */
  async freeze(): Promise<void> {
    await run('fsfreeze', ['-f', this.point]);
    this.#frozen = true;
  }

  async thaw(): Promise<void> {
    if (this.#frozen) await run('fsfreeze', ['-u', this.point]);
    this.#frozen = false;
  }

  /** As a cable that is pulled: at once, though files are open. */
  async pull(): Promise<void> {
    await run('umount', ['-l', this.point]);
    this.#mounted -= 1;
  }

  /** Gives everything back. */
  async end(): Promise<void> {
    await this.thaw();
    while (this.#mounted > 0) await this.pull();
  }

  async #mount(args: readonly string[]): Promise<void> {
    await run('mount', [...args]);
    this.#mounted += 1;
  }
}
