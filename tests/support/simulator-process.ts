/** The camera simulator as a process of its own, so that it shares no event loop with what is tested or measured. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { type RunningChild, startChild } from './child.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

export interface SimulatedCamera {
  readonly index: number;
  readonly name: string;
  readonly host: string;
  readonly onvifUrl: string;
  readonly rtspMain: string;
  readonly rtspSub: string | null;
  readonly username: string;
  readonly password: string;
}

export interface SendLogLine {
  readonly frameIndex: number;
  readonly pass: number;
  readonly keyframe: boolean;
  readonly rtpTimestamp: number;
  readonly capturedMs: number;
  readonly sentMs: number;
  readonly clients: number;
}

export interface SimulatorProcess {
  readonly cameras: readonly SimulatedCamera[];
  readonly discoveryPort: number;
  readonly child: RunningChild;
  /** POST to the control port: `quirks/stall`, `unplug`, `replug`, `reboot`, `move`. */
  tell(camera: number, action: string, body?: unknown): Promise<void>;
  sendLog(camera: number, stream: 'main' | 'sub', sinceMs?: number): Promise<readonly SendLogLine[]>;
  stop(): Promise<void>;
}

/** `program`: another one than `npm run sim` that says the same when it is ready. */
export async function startSimulatorProcess(args: readonly string[], limitMs = 90_000, program = 'tools/sim/main.ts'): Promise<SimulatorProcess> {
  const child = startChild(process.execPath, [path.join(ROOT, program), '--json', '--household', randomUUID(), ...args]);
  const ready = await child.waitForLine((line) => (line.startsWith('{') ? (JSON.parse(line) as { cameras: readonly SimulatedCamera[]; discoveryPort: number; controlUrl: string }) : null), limitMs);
  const call = async (route: string, init?: RequestInit): Promise<Response> => {
    const response = await fetch(new URL(route, ready.controlUrl), init);
    if (!response.ok) throw new Error(`simulator: ${route}: ${response.status} ${await response.text()}`);
    return response;
  };
  return {
    cameras: ready.cameras,
    discoveryPort: ready.discoveryPort,
    child,
    tell: async (camera, action, body = {}) => {
      await call(`/cameras/${camera}/${action}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    },
    sendLog: async (camera, stream, sinceMs = 0) => (await (await call(`/cameras/${camera}/sendlog?stream=${stream}&since=${sinceMs}`)).json()) as readonly SendLogLine[],
    stop: async () => {
      await child.stop();
    },
  };
}
