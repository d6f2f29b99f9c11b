/** Owns the faults of the disk for footage: real file systems that fill up, fail, turn read-only, freeze or are pulled; and slow and short writes inside the product. */
import { execFile } from 'node:child_process';
import { appendFile, mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { GapCause } from '../../../shared/model/gap.ts';
import { Mount, whyNoImages, whyNoMounts } from '../../../tests/support/mounts.ts';
import { waitFor } from '../../../tests/support/wait.ts';
import { sleep } from '../../bench/workplace.ts';
import type { FaultHouse } from '../house.ts';
import { CRASH_LOSS_MS, type FaultKind, type FaultMade, POWER_LOSS_MS, type Round } from '../fault-kind.ts';

const run = promisify(execFile);
const AFTERWARDS_S = 3;
/** Until the product has found out what is wrong with its disk. */
const NOTICED_LIMIT_MS = 40_000;
const IMAGE_MB = 64;

const mounts = new WeakMap<FaultHouse, Mount>();

function mountOf(house: FaultHouse): Mount {
  const mount = mounts.get(house) ?? new Mount(house.diskDir);
  mounts.set(house, mount);
  return mount;
}

const imageOf = (house: FaultHouse): string => path.join(house.folder, 'image');
const realOf = (house: FaultHouse): string => path.join(house.folder, 'real');

async function clear({ house }: Round): Promise<void> {
  await mountOf(house).end();
}

/** Waits until every camera says that it is not recorded, for one of these causes. */
async function noticed({ house }: Round, causes: readonly GapCause[]): Promise<void> {
  await waitFor(`every camera to say ${causes.join(' or ')}`, async () => {
    const list = await house.product.client.ask('cameras.list', {});
    const said = list.map(({ status }) => status.problem?.cause ?? null);
    if (!said.every((cause) => cause !== null && causes.includes(cause))) throw new Error(said.join(', '));
    return true;
  }, NOTICED_LIMIT_MS);
}

async function healed(round: Round, made: Omit<FaultMade, 'healedMs' | 'cameras' | 'crash'>): Promise<FaultMade> {
  const healedMs = Date.now();
  await round.house.recording();
  await round.house.footage(AFTERWARDS_S);
  return { ...made, healedMs, cameras: null, crash: false };
}

const full: FaultKind = {
  name: 'disk full (ENOSPC)', family: 'disk', quick: false, weight: 2, fresh: true, whyNot: whyNoMounts, clear,
  async prepare({ house }) {
    await mountOf(house).tmpfs(32);
    return {};
  },
  async make(round) {
    const { house } = round;
    const ballast = path.join(house.diskDir, 'ballast');
    const fill = async (): Promise<void> => {
      const { bavail, bsize } = await statfs(house.diskDir);
      await appendFile(ballast, Buffer.alloc(bavail * bsize)).catch(() => undefined);
    };
    const faultMs = Date.now();
    await waitFor('the disk to be full for every camera', async () => {
      await fill();
      await noticed(round, ['disk-full']).catch(() => undefined);
      const list = await house.product.client.ask('cameras.list', {});
      return list.every(({ status }) => !status.recording);
    }, 2 * NOTICED_LIMIT_MS);
    await sleep(2_000);
    await rm(ballast);
    return await healed(round, { faultMs, causes: ['disk-full'], lossBoundMs: CRASH_LOSS_MS });
  },
};

/** A file system in a file, mounted again after it was mended as at the start of a computer. */
async function mountImageAgain({ house }: Round): Promise<void> {
  const mount = mountOf(house);
  await mount.pull();
  await waitFor('nobody to use the old mount', async () => (await run('losetup', ['-j', imageOf(house)])).stdout.trim() === '', 30_000);
  await run('e2fsck', ['-p', '-f', imageOf(house)]).catch(() => undefined);
  await mount.again(imageOf(house));
}

function failing(name: string, causes: readonly GapCause[], breakIt: (house: FaultHouse) => Promise<void>): FaultKind {
  return {
    name, family: 'disk', quick: false, weight: 2, fresh: true, whyNot: whyNoImages, clear,
    async prepare({ house }) {
      await mountOf(house).image(imageOf(house), IMAGE_MB, ['errors=remount-ro']);
      return {};
    },
    async make(round) {
      const faultMs = Date.now();
      await breakIt(round.house);
      await noticed(round, causes);
      // Shorter parts of a gap take the cause of what follows (docs/design/storage.md, "Causes of gaps").
      await sleep(6_000);
      await mountImageAgain(round);
      // Pulled to be mended, it is also missing for a moment.
      return await healed(round, { faultMs, causes: [...causes, 'disk-missing'], lossBoundMs: POWER_LOSS_MS });
    },
  };
}

/** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH (Linux, fs/ext4/ext4.h): from here on every call answers EIO, and what was not synced is gone. */
const SHUT_DOWN = 'open my $f, "<", shift or die "$!"; my $flags = pack("L", 2); ioctl($f, 0x8004587d, $flags) or die "$!";';

const ioErrors = failing('disk answers EIO', ['disk-failing'], async (house) => {
  await run('perl', ['-e', SHUT_DOWN, house.diskDir]);
});

const readOnly = failing('disk turns read-only (EROFS)', ['disk-failing'], async (house) => {
  const { stdout } = await run('findmnt', ['-no', 'SOURCE', house.diskDir]);
  await writeFile(`/sys/fs/ext4/${path.basename(stdout.trim())}/trigger_fs_error`, '1').catch(() => undefined);
});

const frozen: FaultKind = {
  name: 'disk frozen', family: 'disk', quick: false, weight: 2, fresh: true, whyNot: whyNoImages, clear,
  async prepare({ house }) {
    await mountOf(house).image(imageOf(house), IMAGE_MB);
    return {};
  },
  async make(round) {
    const mount = mountOf(round.house);
    const faultMs = Date.now();
    await mount.freeze();
    try {
      // A disk that does not answer at all is soon taken for one that fails.
      await noticed(round, ['disk-too-slow', 'disk-failing']);
      await sleep(2_000);
    } finally {
      await mount.thaw();
    }
    return await healed(round, { faultMs, causes: ['disk-too-slow', 'disk-failing'], either: true, lossBoundMs: 0 });
  },
};

const pulled: FaultKind = {
  name: 'disk unmounted while recording', family: 'disk', quick: false, weight: 2, fresh: true, whyNot: whyNoMounts, clear,
  async prepare({ house }) {
    await mkdir(realOf(house), { recursive: true });
    await mountOf(house).bind(realOf(house));
    return {};
  },
  async make(round) {
    const { house } = round;
    const faultMs = Date.now();
    await mountOf(house).pull();
    await noticed(round, ['disk-missing']);
    await sleep(round.random() * 3_000);
    await mountOf(house).bind(realOf(house));
    return await healed(round, { faultMs, causes: ['disk-missing'], lossBoundMs: 0 });
  },
};

/** Changes the writes of the product by slow-files.ts while footage is recorded; nothing may be missing. */
function hooked(name: string, order: object): FaultKind {
  const orderFile = (house: FaultHouse): string => path.join(house.folder, 'files-order.json');
  return {
    name, family: 'disk', quick: false, weight: 2, fresh: false,
    prepare: ({ house }) => Promise.resolve({ env: { NODE_OPTIONS: `--import ${pathToFileURL(path.join(import.meta.dirname, 'slow-files.ts')).href}`, PORCHLIGHT_FAULTS_FILES: orderFile(house) } }),
    async make(round) {
      const faultMs = Date.now();
      await writeFile(orderFile(round.house), JSON.stringify(order));
      await sleep(8_000);
      await rm(orderFile(round.house));
      return await healed(round, { faultMs, causes: [], lossBoundMs: 0 });
    },
    clear: async ({ house }) => await rm(orderFile(house), { force: true }),
  };
}

const slow = hooked('each write and sync 500 ms slow', { lastsMs: 500 });
const short = hooked('short writes', { shortWrites: true });

export const DISK_KINDS: readonly FaultKind[] = [full, ioErrors, readOnly, frozen, pulled, slow, short];
