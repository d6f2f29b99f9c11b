/** Owns the fault suite's simulated cameras: a program of its own, small pictures from a loop, the number of each burnt in; a gentle load, so that the faults are measured and not the cameras. */
import { startSimulator } from '../sim/simulator.ts';
import { describeCamera } from '../sim/control.ts';

/** A keyframe each second, as home cameras send. */
export const FRAME_MS = 100;
export const KEYFRAME_MS = 1_000;
/** Longer than any outage: numbers that come again are told apart by their order. */
const LOOP_SECONDS = 60;
export const PICTURE = { width: 320, height: 180 } as const;

/** `cameras-main.ts --cameras N --household NAME`: prints one line of JSON when the cameras can be reached, and ends with its standard input. */
async function main(args: readonly string[]): Promise<void> {
  const after = (name: string): string => args[args.indexOf(name) + 1] ?? '';
  const video = { ...PICTURE, fps: 1_000 / FRAME_MS, kbps: 200, gopFrames: KEYFRAME_MS / FRAME_MS, seconds: LOOP_SECONDS };
  const simulator = await startSimulator({ household: after('--household'), cameras: Number(after('--cameras')), source: 'test', main: video, sub: null, audio: 'none', discovery: false });
  const stop = (): void => void simulator.stop().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', () => undefined);
  process.stdin.once('end', stop).resume();
  console.log(JSON.stringify({ cameras: simulator.cameras.map(describeCamera), discoveryPort: 0, controlUrl: simulator.controlUrl }));
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2));
