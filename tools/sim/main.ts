/** Owns the command line of the camera simulator: npm run sim -- [options]. */
import { fstatSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { AuthScheme } from './auth-gate.ts';
import { describeCamera } from './control.ts';
import { DISCOVERY_PORT } from './discovery/discovery-responder.ts';
import type { SimAudioCodec } from './media/clip.ts';
import { discardUnfinishedClips } from './media/encode.ts';
import { QUIRKS, checkQuirkValue, isQuirkName, type QuirkName, type QuirkValue } from './quirks.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from './simulator.ts';
import { BENCH_MAIN, type SimSource, type SimVideo } from './sources.ts';

const HELP = `npm run sim -- [options]
  --cameras N            how many cameras (4)
  --file CLIP            show this clip instead of the painted scenes
  --source NAME          scenes (default), test (frame numbers in the picture), bench (1080p30, 4 Mbit/s), live
  --clock live           the same as --source live: the wall clock as blocks in each picture
  --codec NAME           h264 (default), h265; mjpeg but for live
  --audio LIST           aac, pcma, pcmu or none, one for all or one each: aac,none,pcma,aac (default)
  --interfaces LIST      addresses of interfaces to answer discovery on (127.0.0.1)
  --household NAME       whose cameras they are: another name, other serial numbers (home)
  --hosts LIST           the cameras' addresses (127.0.0.2, 127.0.0.3, …)
  --discovery-port N     3702 as cameras do; 0: any free one
  --http-port N --rtsp-port N   on each address (any free one)
  --control-port N       for POST /cameras/2/quirks/stall {"value":true}
  --auth SCHEME          digest (default), sha256, both, basic, none
  --username U --password P     viewer, porchlight
  --motion Q,M           motion events: Q seconds of quiet, M of motion, in turn (20,8)
  --send-log FOLDER      write camera-N.jsonl there
  --quirk NAME[=VALUE]   on at all cameras; may be given often. N:NAME[=VALUE]: at camera N
  --list-quirks          what there is
  --json                 one JSON line when ready, nothing else`;

function list(text: string | undefined): string[] | undefined {
  return text?.split(',').map((part) => part.trim());
}

function parseSource(values: { file?: string | undefined; source?: string | undefined; clock?: string | undefined }): SimSource | 'bench' {
  if (values.file !== undefined) return { file: values.file };
  const name = values.clock === 'live' ? 'live' : (values.source ?? 'scenes');
  if (name === 'scenes' || name === 'test' || name === 'live' || name === 'bench') return name;
  throw new Error(`there is no source ${name}`);
}

function parseCodec(name: string | undefined): Partial<SimVideo> {
  if (name === undefined) return {};
  if (name === 'h264' || name === 'h265' || name === 'mjpeg') return { codec: name };
  throw new Error(`there is no codec ${name}`);
}

/** `2:stall`, `bitrate-spike=4`. Camera 0 stands for all. */
function parseQuirk(text: string): { camera: number; name: QuirkName; value: QuirkValue } {
  const [, camera = '0', name = '', value] = /^(?:(\d+):)?([\w-]+)(?:=(.*))?$/.exec(text) ?? [];
  if (!isQuirkName(name)) throw new Error(`there is no quirk ${name}; --list-quirks says what there is`);
  const kind = QUIRKS[name].value;
  const raw = kind === 'flag' ? value !== 'false' : kind === 'number' ? Number(value) : (value ?? '');
  return { camera: Number(camera), name, value: checkQuirkValue(name, raw) };
}

function print(simulator: Simulator): void {
  for (const camera of simulator.cameras) {
    console.log(`${camera.index}  ${camera.name.padEnd(12)} ${camera.onvifUrl}  ${camera.rtspUrl('main')}`);
  }
  console.log(`user ${simulator.cameras[0]?.username}, password ${simulator.cameras[0]?.password}`);
  console.log(`discovery on port ${simulator.discoveryPort}, control ${simulator.controlUrl}`);
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      ...{ cameras: text, file: text, source: text, clock: text, codec: text, audio: text, interfaces: text, hosts: text, household: text, auth: text, username: text, password: text, motion: text },
      ...{ 'discovery-port': text, 'http-port': text, 'rtsp-port': text, 'control-port': text, 'send-log': text },
      quirk: { type: 'string', multiple: true },
      ...{ 'list-quirks': { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
    },
  });
  if (values.help === true) return console.log(HELP);
  if (values['list-quirks'] === true) {
    for (const [name, quirk] of Object.entries(QUIRKS)) console.log(`${quirk.group.padEnd(10)} ${name.padEnd(26)} ${quirk.value.padEnd(7)} ${quirk.does}`);
    return;
  }
  const source = parseSource(values);
  const codec = parseCodec(values.codec);
  const [quietSeconds = 20, motionSeconds = 8] = (list(values.motion) ?? ['20', '8']).map(Number);
  const quirks = (values.quirk ?? []).map(parseQuirk);
  const hosts = list(values.hosts);
  const options: SimulatorOptions = {
    household: values.household ?? 'home',
    cameras: Number(values.cameras ?? 4),
    source: source === 'bench' ? 'test' : source,
    ...(source === 'bench' ? { main: { ...BENCH_MAIN, ...codec } } : { main: codec, sub: codec }),
    audio: (list(values.audio) ?? ['aac', 'none', 'pcma', 'aac']) as (SimAudioCodec | 'none')[],
    auth: (values.auth ?? 'digest') as AuthScheme,
    discovery: { port: Number(values['discovery-port'] ?? DISCOVERY_PORT), interfaces: list(values.interfaces) ?? ['127.0.0.1'] },
    motion: { quietSeconds, motionSeconds },
    httpPort: Number(values['http-port'] ?? 0),
    rtspPort: Number(values['rtsp-port'] ?? 0),
    controlPort: Number(values['control-port'] ?? 0),
    ...(hosts === undefined ? {} : { hosts }),
    ...(values.username === undefined ? {} : { username: values.username }),
    ...(values.password === undefined ? {} : { password: values.password }),
    ...(values['send-log'] === undefined ? {} : { sendLogFolder: values['send-log'] }),
  };
  let running: Simulator | null = null;
  const stop = (): void => {
    if (running !== null) {
      void running.stop().then(() => process.exit(0));
      return;
    }
    // Still painting: nothing listens yet, and nobody wants what is half done.
    discardUnfinishedClips();
    process.exit(0);
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  // A parent that started us with a pipe and is gone closes it: nobody would stop us then.
  const stdin = fstatSync(0);
  if (values.json === true && (stdin.isFIFO() || stdin.isSocket())) process.stdin.once('end', stop).resume();
  const simulator = await startSimulator(options);
  running = simulator;
  for (const { camera, name, value } of quirks) {
    for (const one of simulator.cameras) if (camera === 0 || camera === one.index) await one.setQuirk(name, value);
  }
  const { discoveryPort, controlUrl } = simulator;
  if (values.json === true) console.log(JSON.stringify({ cameras: simulator.cameras.map(describeCamera), discoveryPort, controlUrl }));
  else print(simulator);
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
