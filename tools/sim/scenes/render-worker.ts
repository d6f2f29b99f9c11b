/** Owns the painting and encoding of one scene on a thread of its own, so that two cores paint two scenes. */
import { parentPort, workerData } from 'node:worker_threads';
import { encodeSeries, type VideoSettings } from '../media/encode.ts';
import { scenePictures, type SceneName } from './scenes.ts';

const { name, main, sub } = workerData as { name: SceneName; main: VideoSettings; sub: VideoSettings | null };
await encodeSeries(scenePictures(name), main, sub);
parentPort?.postMessage('done');
