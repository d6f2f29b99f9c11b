/** Owns the having of a scene's clips ready: painted once on another thread, then found in the cache folder. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { encodeSeries, isCached, type EncodedSeries, type VideoSettings } from '../media/encode.ts';
import { scenePictures, type SceneName } from './scenes.ts';

const painting = new Map<string, Promise<void>>();

async function paintOnThread(name: SceneName, main: VideoSettings, sub: VideoSettings | null): Promise<void> {
  const worker = new Worker(new URL('./render-worker.ts', import.meta.url), { workerData: { name, main, sub } });
  await once(worker, 'message');
  await worker.terminate();
}

/** The clips of a scene. Takes some seconds the first time, none later. */
export async function renderScene(name: SceneName, main: VideoSettings, sub: VideoSettings | null): Promise<EncodedSeries> {
  const series = scenePictures(name);
  if (!(await isCached(series, main, sub))) {
    const key = JSON.stringify([name, main, sub]);
    const already = painting.get(key) ?? paintOnThread(name, main, sub).finally(() => painting.delete(key));
    painting.set(key, already);
    await already;
  }
  return encodeSeries(series, main, sub);
}
