/** How true the times of recorded pictures stay: each against the clock that the simulated camera burnt into it, over hours if asked (`--seconds`), with crystals that run fast and slow. */
import { wallOfMediaMs } from '../../shared/model/segment.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { decodeFrames } from '../../tests/support/decoded-frames.ts';
import { presentationTimesMs } from '../../tests/support/presentation-times.ts';
import { type SimulatedCamera, startSimulatorProcess } from '../../tests/support/simulator-process.ts';
import { type BenchReport, type Figure, figure, percentile } from './figures.ts';
import type { BenchOptions } from './options.ts';
import { listCamera, type Product, sleep, startProduct, waitForRecording, Workplace } from './workplace.ts';

const SECONDS = 600;
/** Parts per million by which the cameras' crystals are off; a poor one is off by 100. */
const CRYSTALS = [0, 100, -100] as const;
/** Pieces of the recording that are looked at, evenly spread over it. */
const LOOKS = 60;
/** DESIGN.md section 4. */
const TRUE_WITHIN_MS = 200;
const SIZE = { width: 640, height: 360 } as const;
const MINUTE_MS = 60_000;

export async function run(options: BenchOptions): Promise<BenchReport> {
  const seconds = options.seconds ?? SECONDS;
  return await Workplace.with(async (place) => {
    const quirks = CRYSTALS.flatMap((ppm, index) => ['--quirk', `${index + 1}:clock-rate=${ppm}`]);
    const simulator = place.keep(await startSimulatorProcess(['--cameras', String(CRYSTALS.length), '--source', 'live', '--discovery-port', '0', ...quirks]));
    const product = await startProduct({ dataDir: place.path('data'), mediaDir: place.path('media'), cameras: simulator.cameras.map((camera) => listCamera(camera)), place });
    await waitForRecording(product, CRYSTALS.length);
    const fromMs = Date.now();
    await sleep(seconds * 1_000);
    const untilMs = Date.now();
    // The minute that is being written has no times in the index yet.
    await sleep(MINUTE_MS + 5_000);
    const figures: Figure[] = [];
    for (const [index, camera] of simulator.cameras.entries()) figures.push(...figuresOf(forceUnwrap('one each', CRYSTALS[index]), await errorsOf(product, camera, fromMs, untilMs)));
    return { bench: 'times', figures, notes: [`${CRYSTALS.length} cameras of 15 pictures a second over ${Math.round(seconds / 60)} min; time of each picture by the index less the clock in it, which is read before the picture is encoded: encoding and sending are in the figures.`] };
  });
}

interface TimeError {
  readonly atMs: number;
  readonly errorMs: number;
}

/** All pictures of some of a camera's segments, oldest first. */
async function errorsOf({ client }: Product, { onvifUrl }: SimulatedCamera, fromMs: number, untilMs: number): Promise<readonly TimeError[]> {
  const host = new URL(onvifUrl).hostname;
  const listed = await client.ask('cameras.list', {});
  const cameraId: CameraId = forceUnwrap('it is recorded', listed.find(({ camera }) => camera.deviceUrl !== null && new URL(camera.deviceUrl).hostname === host)).camera.id;
  const seen = new Set<string>();
  const errors: TimeError[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    const atMs = fromMs + ((untilMs - fromMs) * (look + 0.5)) / LOOKS;
    const located = forceUnwrap('it was recorded without a gap', await client.ask('footage.locate', { cameraId, stream: 'main', atMs }));
    if (seen.has(located.path)) continue;
    seen.add(located.path);
    const times = await presentationTimesMs(located.path);
    const frames = await decodeFrames(located.path, SIZE.width, SIZE.height);
    const first = forceUnwrap('it holds pictures', times[0]);
    if (times.length !== frames.length) throw new Error(`${located.path}: ${times.length} times, ${frames.length} pictures with a clock`);
    for (const [index, { clockMs }] of frames.entries()) {
      const wallMs = wallOfMediaMs({ startMs: located.segmentStartMs }, (times[index] ?? Number.NaN) - first);
      errors.push({ atMs: clockMs, errorMs: wallMs - clockMs });
    }
  }
  return errors;
}

/** The middle of the first tenth against that of the last is what a clock that runs away would change. */
function figuresOf(ppm: number, errors: readonly TimeError[]): readonly Figure[] {
  const values = errors.map(({ errorMs }) => errorMs);
  const tenth = Math.ceil(values.length / 10);
  const name = `crystal off by ${ppm} ppm`;
  return [
    figure(`${name}: error, p50 of ${values.length} pictures`, percentile(values, 0.5), 'ms'),
    figure(`${name}: error, p99`, percentile(values.map(Math.abs), 0.99), 'ms', { budget: TRUE_WITHIN_MS }),
    figure(`${name}: largest error`, Math.max(...values.map(Math.abs)), 'ms', { budget: TRUE_WITHIN_MS }),
    figure(`${name}: last tenth less first tenth`, percentile(values.slice(-tenth), 0.5) - percentile(values.slice(0, tenth), 0.5), 'ms'),
  ];
}
