/** Turns the starter's process into the supervisor alone: compiled, and without what finding, building and asking has left in its memory. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ServeRun } from './serve.ts';

/** What the supervisor has to know. */
export type ServeOrder = Omit<ServeRun, 'signal'>;

/** Whether a process can become another program here: Windows knows no such thing, nor did Node before 22.15. */
export function canBecome(): boolean {
  return process.platform !== 'win32' && typeof process.execve === 'function';
}

/**
 * This process goes on as dist/main/serve-main.js, with the same id, terminal and parent (execve(2)): running TypeScript takes 20 MB, which
 * would stay for as long as the supervisor lives. The order names passwords and goes through an owner-only file. Only where `canBecome`.
 */
export async function becomeSupervisor(order: ServeOrder): Promise<never> {
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-start-'));
  const file = path.join(folder, 'serve.json');
  await writeFile(file, JSON.stringify(order), { mode: 0o600 });
  const program = path.join(order.root, 'dist/main/serve-main.js');
  process.execve?.(process.execPath, [process.execPath, program, file], process.env);
  throw new Error('execve returned');
}

/** Reads the order and removes it with its folder. */
export async function takeOrder(file: string): Promise<ServeOrder> {
  const order = JSON.parse(await readFile(file, 'utf8')) as ServeOrder;
  await rm(path.dirname(file), { recursive: true, force: true });
  return order;
}
