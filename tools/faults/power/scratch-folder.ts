/** Owns where the suite's folders lie: in memory where there is such a disk, since what is written there is synced thousands of times. */
import { existsSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const MEMORY = '/dev/shm';

/** Gives `work` a fresh folder and removes it. What a real disk does is the model's business; this one only has to be quick. */
export async function withScratch<T>(name: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await realpath(await mkdtemp(path.join(existsSync(MEMORY) ? MEMORY : tmpdir(), `porchlight-${name}-`)));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
