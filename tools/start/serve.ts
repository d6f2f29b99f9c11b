/** Serve mode from the starter's side: supervises the engine, prints where the interface is, ends in order. */
import { writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemClock } from '../../main/engine/core/clock.ts';
import { createLogger } from '../../main/engine/core/logger.ts';
import { hostAndPort } from '../../main/engine/serve/serve-address.ts';
import type { EngineInit } from '../../shared/contract/engine-process.ts';
import { EngineHost } from '../../main/host/engine-host.ts';
import { nodeStarter } from '../../main/host/node-starter.ts';
import { openBrowser } from './open-browser.ts';

export interface ServeRun {
  readonly root: string;
  readonly init: EngineInit;
  readonly openInBrowser: boolean;
  /** Aborts when the person wants it to end. */
  readonly signal: AbortSignal;
}

/** Runs until it is told to end, or the engine cannot go on; resolves with the exit code. */
export async function runServe({ root, init, openInBrowser, signal }: ServeRun): Promise<number> {
  const log = createLogger((entry) => {
    if (entry.level === 'warn' || entry.level === 'error') process.stderr.write(`${entry.message}\n`);
  });
  const host = new EngineHost({ starter: nodeStarter(path.join(root, 'dist/main/engine-main.js')), init, clock: systemClock, log, secrets: null });
  const over = new Promise<number>((resolve) => {
    host.onState((state) => {
      if (state.kind === 'failed') {
        process.stderr.write(`${state.error.message}\n`);
        resolve(1);
      } else if (state.kind === 'stopped') resolve(0);
    });
    signal.addEventListener('abort', () => resolve(0), { once: true });
  });
  void host.start().then(
    (serving) => {
      if (serving === null || signal.aborted) return;
      process.stdout.write(`Porchlight is ready: ${serving.url}\n`);
      for (const address of otherAddresses(init.serve?.address ?? '', networkInterfaces())) process.stdout.write(`From other devices: https://${hostAndPort(address, serving.port)}/\n`);
      if (serving.fingerprint !== null) process.stdout.write(`Its certificate is its own; the browser warns once. Compare the SHA-256 fingerprint: ${serving.fingerprint}\n`);
      process.stdout.write(`Data: ${init.dataDir}\nFootage: ${init.mediaDir}\nCtrl-C ends it.\n`);
      if (openInBrowser) void openPrivately(init.dataDir, serving.url);
    },
    // The state listener above has said why.
    () => undefined,
  );
  const code = await over;
  await host.stop();
  return code;
}

/** Where other devices in the house find an engine that listens on every address of this computer. */
export function otherAddresses(listen: string, interfaces: NodeJS.Dict<readonly { readonly address: string; readonly family: string; readonly internal: boolean }[]>): readonly string[] {
  if (listen !== '0.0.0.0' && listen !== '::') return [];
  return Object.values(interfaces).flatMap((addresses) => addresses ?? []).filter((one) => one.family === 'IPv4' && !one.internal).map((one) => one.address);
}

/** The address holds a key, and a browser's arguments can be read by every user: the browser gets an owner-only page that leads there. */
async function openPrivately(dataDir: string, url: string): Promise<void> {
  const file = path.join(dataDir, 'open.html');
  const escaped = url.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  await writeFile(file, `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${escaped}"><a href="${escaped}">Open Porchlight</a>`, { mode: 0o600 });
  openBrowser(pathToFileURL(file).href, process.platform);
}
