/** Owns the starting of a whole simulated household: cameras, discovery, control port. */
import { join } from 'node:path';
import type { AuthScheme } from './auth-gate.ts';
import { SimCamera } from './camera.ts';
import { ControlServer } from './control.ts';
import { DiscoveryResponder } from './discovery/discovery-responder.ts';
import type { SimAudioCodec } from './media/clip.ts';
import type { QuirkName, QuirkValue } from './quirks.ts';
import { openFootage, openSound, type SimSource, type SimVideo } from './sources.ts';

export const DEFAULT_USERNAME = 'viewer';
export const DEFAULT_PASSWORD = 'porchlight';

export interface SimulatorOptions {
  /** Whose cameras they are: another name, other serial numbers. The process id when not given: simulators side by side must not be taken for each other. */
  readonly household?: string;
  /** How many cameras; 1 when not given. */
  readonly cameras?: number;
  /** Their addresses in turn; 127.0.0.2, 127.0.0.3, … when not given. */
  readonly hosts?: readonly string[];
  readonly names?: readonly string[];
  /** What they show; 'test' when not given. */
  readonly source?: SimSource;
  /** Encoder settings that differ from the source's own. */
  readonly main?: Partial<SimVideo>;
  /** null: no sub stream. */
  readonly sub?: Partial<SimVideo> | null;
  /** One for all or one for each in turn; AAC when not given. */
  readonly audio?: SimAudioCodec | 'none' | readonly (SimAudioCodec | 'none')[];
  readonly username?: string;
  readonly password?: string;
  /** 'digest' when not given. */
  readonly auth?: AuthScheme;
  /** Which cameras can move: their indices from 1; the first when not given. */
  readonly ptz?: readonly number[];
  /** false: no discovery. Port 0 (the system chooses) and 127.0.0.1 when not given. */
  readonly discovery?: false | { readonly port?: number; readonly interfaces?: readonly string[] };
  /** First HTTP and RTSP port of each camera; 0 when not given. Fixed ports need an address per camera. */
  readonly httpPort?: number;
  readonly rtspPort?: number;
  /** 0 when not given; false: no control port. */
  readonly controlPort?: number | false;
  /** A folder for camera-N.jsonl send logs. */
  readonly sendLogFolder?: string;
  /** Switched on at all cameras from the start. */
  readonly quirks?: Partial<Record<QuirkName, QuirkValue>>;
  /** Motion events in turns: quiet, then motion, so many seconds each; none when not given. */
  readonly motion?: { readonly quietSeconds: number; readonly motionSeconds: number };
}

export interface Simulator {
  readonly cameras: readonly SimCamera[];
  /** 0 without discovery. */
  readonly discoveryPort: number;
  /** '' without a control port. */
  readonly controlUrl: string;
  stop(): Promise<void>;
}

const NAMES = ['Front porch', 'Drive', 'Garden', 'Hallway'];
const MODELS = ['LW-210 Bullet', 'LW-310 Turret', 'LW-120 Dome', 'LW-90 Cube'];

/** 127.0.0.2 for the first; every number of cameras has an address of its own. */
export function defaultHost(position: number): string {
  const number = position + 2;
  return `127.0.${Math.floor(number / 254)}.${(number % 254) + (number >= 254 ? 1 : 0)}`;
}

function audioOf(options: SimulatorOptions, position: number): SimAudioCodec | 'none' {
  const { audio = 'aac' } = options;
  return typeof audio === 'string' ? audio : (audio[position % audio.length] ?? 'none');
}

async function createCamera(options: SimulatorOptions, position: number, discovery: DiscoveryResponder | null): Promise<SimCamera> {
  const footage = { source: options.source ?? 'test', seed: position % 4, main: options.main ?? {}, sub: options.sub === undefined ? {} : options.sub };
  const round = position >= NAMES.length ? ` ${Math.floor(position / NAMES.length) + 1}` : '';
  const index = position + 1;
  return new SimCamera(
    {
      household: options.household ?? String(process.pid),
      index,
      name: options.names?.[position] ?? `${NAMES[position % NAMES.length]}${round}`,
      model: MODELS[position % MODELS.length] ?? 'LW-210 Bullet',
      host: options.hosts?.[position % options.hosts.length] ?? defaultHost(position),
      httpPort: options.httpPort ?? 0,
      rtspPort: options.rtspPort ?? 0,
      credentials: { username: options.username ?? DEFAULT_USERNAME, password: options.password ?? DEFAULT_PASSWORD },
      auth: options.auth ?? 'digest',
      footage,
      sound: await openSound(audioOf(options, position)),
      ptz: (options.ptz ?? [1]).includes(index),
      discovery,
      sendLogFile: options.sendLogFolder === undefined ? null : join(options.sendLogFolder, `camera-${index}.jsonl`),
    },
    await openFootage(footage),
  );
}

function startMotion(cameras: readonly SimCamera[], motion: NonNullable<SimulatorOptions['motion']>): () => void {
  const periodMs = (motion.quietSeconds + motion.motionSeconds) * 1000;
  const startedMs = performance.now();
  const timer = setInterval(() => {
    cameras.forEach((camera, position) => {
      const phaseMs = (performance.now() - startedMs + (position * periodMs) / cameras.length) % periodMs;
      camera.setMotion(phaseMs >= motion.quietSeconds * 1000);
    });
  }, 250);
  return () => clearInterval(timer);
}

/** Starts the cameras; resolves when all answer. What was started is stopped again when one cannot start. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const count = options.cameras ?? 1;
  const wanted = options.discovery ?? {};
  const discovery = wanted === false ? null : new DiscoveryResponder({ port: wanted.port ?? 0, interfaces: wanted.interfaces ?? ['127.0.0.1'] });
  const cameras: SimCamera[] = [];
  const started: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    for (const one of started.splice(0).toReversed()) await one.stop();
  };
  try {
    if (discovery !== null) {
      await discovery.start();
      started.push(discovery);
    }
    // All footage at once: what is not cached is encoded side by side.
    for (const camera of await Promise.all(Array.from({ length: count }, (_, position) => createCamera(options, position, discovery)))) {
      started.push(camera);
      await camera.start();
      for (const [name, value] of Object.entries(options.quirks ?? {})) await camera.setQuirk(name as QuirkName, value);
      cameras.push(camera);
    }
    const control = options.controlPort === false ? null : new ControlServer(cameras, options.controlPort ?? 0);
    if (control !== null) {
      await control.start();
      started.push(control);
    }
    if (options.motion !== undefined) {
      const stopMotion = startMotion(cameras, options.motion);
      started.push({ stop: () => Promise.resolve(stopMotion()) });
    }
    return { cameras, discoveryPort: discovery?.port ?? 0, controlUrl: control?.url ?? '', stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
