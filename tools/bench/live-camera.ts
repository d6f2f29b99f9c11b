/** A process with one simulated camera that shows the clock at a given size and rate; the simulator's own program has a smaller one only. */
import { parseArgs } from 'node:util';
import { describeCamera } from '../sim/control.ts';
import { startSimulator } from '../sim/simulator.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { width: text, height: text, fps: text, kbps: text } });
const simulator = await startSimulator({
  cameras: 1,
  source: 'live',
  main: { width: Number(values.width), height: Number(values.height), fps: Number(values.fps), kbps: Number(values.kbps), gopFrames: Number(values.fps) },
  sub: null,
  audio: 'none',
  discovery: false,
});
console.log(JSON.stringify({ cameras: simulator.cameras.map(describeCamera), controlUrl: simulator.controlUrl }));
const stop = (): void => {
  void simulator.stop().then(() => process.exit(0));
};
process.once('SIGTERM', stop);
process.stdin.on('end', stop).resume();
