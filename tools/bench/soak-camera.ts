/** A camera of the simulated month: sends a picture every half minute, drops out now and then, and knows what it sent. */
import type { Clock } from '../../main/engine/core/clock.ts';
import type { IngestNotice } from '../../main/engine/ports/ingest.ts';
import { Footage } from '../../main/engine/recorder/footage.ts';
import { Leftovers } from '../../main/engine/recorder/leftovers.ts';
import { Outage } from '../../main/engine/recorder/outage.ts';
import type { NewPreview } from '../../main/engine/storage/preview-pack.ts';
import type { CameraId, RootId } from '../../shared/model/ids.ts';
import { HOUR_MS, MINUTE_MS, type TimeRange } from '../../shared/time.ts';
import { createRandom } from '../sim/media/ambience.ts';
import { STEP_MS, type TinyFootage } from './soak-footage.ts';

export interface SoakCameraParts {
  readonly cameraId: CameraId;
  readonly index: number;
  readonly startMs: number;
  readonly footage: TinyFootage;
  readonly clock: Clock;
  readonly record: { readonly rootId: RootId; readonly rootPath: string };
  readonly rotationOffsetMs: number;
  readonly notify: (notice: IngestNotice) => void;
}

export class SoakCamera {
  readonly cameraId: CameraId;
  /** What was sent, one range for each connection. */
  readonly sent: { startMs: number; endMs: number }[] = [];
  readonly #parts: SoakCameraParts;
  readonly #random: () => number;
  readonly #recorder: Footage;
  readonly #outage: Outage;
  #previews: NewPreview[] = [];
  /** When the next picture is taken. */
  #nextMs: number;
  #dropsMs: number;
  #session: TimeRange['startMs'] | null = null;
  #count = 0;

  constructor(parts: SoakCameraParts) {
    const { cameraId, rotationOffsetMs, record, clock, notify } = parts;
    this.#parts = parts;
    this.cameraId = cameraId;
    this.#random = createRandom(parts.index + 1);
    this.#nextMs = parts.startMs + parts.index * 1_375;
    this.#dropsMs = this.#nextDrop();
    const key = { cameraId, stream: 'main' } as const;
    this.#outage = new Outage(key, parts.startMs, notify);
    const stream = { cameraId, kind: 'main', url: '', username: null, password: null, transport: 'tcp', videoCodec: 'h264', sound: 'none', record, rotationOffsetMs } as const;
    this.#recorder = new Footage({ stream, record, clock, outage: this.#outage, leftovers: new Leftovers(notify), notify });
  }

  /** Takes every picture that is over by then. Resolves when what was taken is written. */
  async recordUntil(untilMs: number): Promise<void> {
    while (this.#nextMs + STEP_MS <= untilMs) {
      if (this.#nextMs >= this.#dropsMs) await this.#drop();
      else this.#take();
    }
    await this.#recorder.snapshot();
  }

  takePreviews(): readonly NewPreview[] {
    const previews = this.#previews;
    this.#previews = [];
    return previews;
  }

  async end(): Promise<void> {
    await this.#recorder.end();
  }

  #take(): void {
    const { footage } = this.#parts;
    const fragment = footage.fragments[this.#count % footage.fragments.length] ?? footage.fragments[0];
    this.#count += 1;
    if (this.#session === null) {
      const beganMs = this.#nextMs;
      this.#session = beganMs;
      this.sent.push({ startMs: beganMs, endMs: beganMs });
      this.#recorder.begin({ session: beganMs, wallOf: (mediaMs) => beganMs + mediaMs, settled: () => true });
    }
    const startMediaMs = this.#nextMs - this.#session;
    const ticks = (mediaMs: number): number => Math.round((mediaMs * footage.init.video.timescale) / 1000);
    const head = { ...fragment.head, baseTicks: ticks(startMediaMs), endTicks: ticks(startMediaMs + STEP_MS) };
    this.#recorder.take({ init: footage.init, bytes: fragment.bytes, head, video: true, keyframe: true, startMediaMs, endMediaMs: startMediaMs + STEP_MS, wallMs: this.#nextMs });
    this.#previews.push({ atMs: this.#nextMs, jpeg: footage.jpeg });
    this.#nextMs += STEP_MS;
    const sent = this.sent.at(-1);
    if (sent !== undefined) sent.endMs = this.#nextMs;
  }

  async #drop(): Promise<void> {
    await this.#recorder.end();
    this.#outage.began('camera-unreachable', 'The camera did not answer.');
    this.#session = null;
    this.#nextMs += Math.round(2_000 + this.#random() ** 4 * 10 * MINUTE_MS);
    this.#dropsMs = this.#nextDrop();
  }

  #nextDrop(): number {
    // The last of sixteen cameras is a bad one.
    const everyMs = this.#parts.index === 15 ? 10 * MINUTE_MS : 6 * HOUR_MS;
    return this.#nextMs + STEP_MS + this.#random() * 2 * everyMs;
  }
}
