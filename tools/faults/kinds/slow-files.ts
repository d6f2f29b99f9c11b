/**
 * Owns the disk that is slow or takes a part at a time, where no kernel helps: loaded into the product before its own code
 * (`--import`), it makes the writes and syncs of open files last, or write a part and say so. What is written is written
 * by the system as ever. A file says which: {"lastsMs": 500} or {"shortWrites": true}; no file, nothing.
 */
import { readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

interface Order {
  readonly lastsMs?: number;
  readonly shortWrites?: boolean;
}

type Buffers = readonly NodeJS.ArrayBufferView[];
type Methods = Record<'writev' | 'write' | 'datasync' | 'sync', (this: FileHandle, ...args: unknown[]) => Promise<unknown>>;

function orderNow(): Order {
  try {
    return JSON.parse(readFileSync(process.env['PORCHLIGHT_FAULTS_FILES'] ?? '', 'utf8')) as Order;
  } catch {
    return {};
  }
}

/** The first half of the bytes, rounded up, so that each write gets on. */
function firstHalf(buffers: Buffers): Buffers {
  const bytes = Buffer.concat(buffers.map((one) => Buffer.from(one.buffer, one.byteOffset, one.byteLength)));
  return [bytes.subarray(0, Math.ceil(bytes.length / 2))];
}

const handle = await open(process.execPath, 'r');
const methods = Object.getPrototypeOf(handle) as Methods;
await handle.close();
for (const name of ['writev', 'write', 'datasync', 'sync'] as const) {
  const real = methods[name];
  methods[name] = async function slowly(...args) {
    const { lastsMs = 0, shortWrites = false } = orderNow();
    if (lastsMs > 0) await delay(lastsMs);
    if (shortWrites && name === 'writev') return await real.apply(this, [firstHalf(args[0] as Buffers), ...args.slice(1)]);
    return await real.apply(this, args);
  };
}
