import { MessageChannel } from 'node:worker_threads';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exposeWorker, moving, startWorker, workerEntry } from './worker-rpc.ts';

interface TestApi {
  double(value: number): number;
  refuse(): never;
  bytes(): Uint8Array;
  take(bytes: Uint8Array): number;
  leave(): void;
}

const RPC = new URL('./worker-rpc.ts', import.meta.url).href;
const ERRORS = new URL('../../../shared/errors.ts', import.meta.url).href;
let folder = '';
let entry = new URL('file:///');

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-worker-'));
  const file = path.join(folder, 'worker.ts');
  await writeFile(
    file,
    `import { exposeWorker, moving } from '${RPC}';
     import { PorchlightError } from '${ERRORS}';
     const notify = exposeWorker({
       double: (value: number) => { notify({ doubled: value }); return value * 2; },
       refuse: () => { throw new PorchlightError('disk-full', 'The disk is full.'); },
       bytes: () => { const bytes = new Uint8Array([1, 2, 3]); return moving(bytes, [bytes.buffer]); },
       take: (bytes: Uint8Array) => bytes.length,
       leave: () => process.exit(3),
     });`,
  );
  entry = pathToFileURL(file);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('answers calls, sends notices, and carries errors by kind', async () => {
  const handle = startWorker<TestApi, { doubled: number }>(entry, 'test', null);
  const notices: unknown[] = [];
  handle.onNotice((notice) => notices.push(notice));
  expect(await Promise.all([handle.client.double(2), handle.client.double(3)])).toEqual([4, 6]);
  expect(notices).toEqual([{ doubled: 2 }, { doubled: 3 }]);
  await expect(handle.client.refuse()).rejects.toMatchObject({ kind: 'disk-full', message: 'The disk is full.' });
  await handle.terminate();
});

it('moves bytes both ways', async () => {
  const handle = startWorker<TestApi>(entry, 'test', null);
  expect(await handle.client.bytes()).toEqual(new Uint8Array([1, 2, 3]));
  const sent = new Uint8Array(8);
  expect(await handle.client.take(moving(sent, [sent.buffer]))).toBe(8);
  expect(sent.length).toBe(0);
  await handle.terminate();
});

it('rejects what was open, and what comes after, when the thread ends', async () => {
  const handle = startWorker<TestApi>(entry, 'test', null);
  await expect(handle.client.leave()).rejects.toMatchObject({ kind: 'internal' });
  expect(await handle.exited).toBe(3);
  await expect(handle.client.double(1)).rejects.toMatchObject({ kind: 'internal' });
});

it('keeps a thrown bug’s text on its own side', async () => {
  const { port1, port2 } = new MessageChannel();
  exposeWorker({ fail: () => { throw new Error('secret detail'); } }, port2);
  const answer = new Promise<{ error: { sentence: string } }>((resolve) => port1.once('message', resolve));
  port1.postMessage({ call: 1, name: 'fail', args: [] });
  expect((await answer).error.sentence).not.toContain('secret');
  port1.close();
});

it('finds thread entries beside the source and in the bundle', () => {
  expect(workerEntry('file:///app/main/engine/engine.ts', 'recorder/ingest-worker').href).toBe('file:///app/main/engine/recorder/ingest-worker.ts');
  expect(workerEntry('file:///app/dist/main/engine-main.js', 'recorder/ingest-worker').href).toBe('file:///app/dist/main/ingest-worker.js');
});
