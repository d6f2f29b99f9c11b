/** All streams of the ingest thread: what is wanted is compared with what runs, and the clock is watched for all of them. */
import { createHash } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { ReceivedBytes } from '../../../shared/model/recording-mode.ts';
import type { Clock } from '../core/clock.ts';
import { ChildLedger } from '../ffmpeg/ledger.ts';
import type { IngestNotice, IngestSettings, IngestStream, LiveSubscription, OpenSegment, StreamKeep, StreamKey } from '../ports/ingest.ts';
import { Leftovers } from './leftovers.ts';
import { LiveFeed } from './live-feed.ts';
import { PreRollMemory } from './pre-roll.ts';
import { Pulse } from './pulse.ts';
import { Recorder } from './recorder.ts';
import { SoundMemory } from './sound-memory.ts';
import { WallAnchor } from './wall-clock.ts';

const COMPARE_CLOCK_MS = 1_000;

export class IngestStreams {
  readonly #clock: Clock;
  readonly #notify: (notice: IngestNotice) => void;
  readonly #drained: () => boolean;
  readonly #anchor: WallAnchor;
  readonly #pulse: Pulse;
  readonly #recorders = new Map<string, { readonly recorder: Recorder; readonly wanted: string }>();
  readonly #feeds = new Map<string, LiveFeed>();
  readonly #sessions = new Map<string, number>();
  readonly #preRolls = new PreRollMemory();
  readonly #leftovers: Leftovers;
  /** Of recorders that ended. */
  readonly #received = new Map<string, StreamKey & { readonly receivedBytes: number }>();
  readonly #stopClock: () => void;
  #ledger: ChildLedger | null = null;
  #sounds: SoundMemory | null = null;
  #initIds = 0;
  #changes: Promise<void> = Promise.resolve();

  constructor(clock: Clock, notify: (notice: IngestNotice) => void, drained: () => boolean) {
    this.#clock = clock;
    this.#notify = notify;
    this.#drained = drained;
    this.#leftovers = new Leftovers(notify);
    this.#pulse = new Pulse(clock);
    this.#anchor = new WallAnchor(clock.nowMs(), clock.monotonicMs());
    this.#stopClock = this.#pulse.every(COMPARE_CLOCK_MS, () => this.#compareClock());
  }

  /** Starts, changes and ends recorders until exactly `streams` run. Ended ones have closed their files when it resolves. */
  configure(streams: readonly IngestStream[], settings: IngestSettings): Promise<void> {
    return this.#inOrder(async () => {
      const ledger = this.#ledger ?? (await this.#openLedger(settings));
      const sounds = (this.#sounds ??= await SoundMemory.open(settings.dataDir));
      const wanted = new Map(streams.map((stream) => [keyText({ cameraId: stream.cameraId, stream: stream.kind }), stream]));
      await Promise.all(Array.from(this.#recorders, async ([key, { recorder, wanted: had }]) => {
        const stream = wanted.get(key);
        if (stream === undefined || fingerprint(stream, settings) !== had) await this.#end(key, recorder);
        else recorder.keep(stream.keep ?? null);
      }));
      for (const [key, stream] of wanted) {
        const running = this.#recorders.get(key);
        if (running === undefined) this.#start(key, stream, settings, ledger, sounds);
        else if (stream.record !== null) running.recorder.recordTo(stream.record);
      }
    });
  }

  keep(cameraId: CameraId, keep: StreamKeep | null): void {
    for (const { recorder } of this.#recorders.values()) if (recorder.key.cameraId === cameraId) recorder.keep(keep);
  }

  received(): readonly (StreamKey & ReceivedBytes)[] {
    const ended = Array.from(this.#received, ([key, before]) => ({ ...before, connected: false, key })).filter(({ key }) => !this.#recorders.has(key));
    const running = Array.from(this.#recorders, ([key, { recorder }]) => ({ ...recorder.key, receivedBytes: (this.#received.get(key)?.receivedBytes ?? 0) + recorder.receivedBytes, connected: recorder.connected }));
    return [...running, ...ended.map(({ key: _key, ...rest }) => rest)];
  }

  retry(cameraId: CameraId): void {
    for (const { recorder } of this.#recorders.values()) if (recorder.key.cameraId === cameraId) recorder.retry();
  }

  async openSegment(key: StreamKey): Promise<OpenSegment | null> {
    return (await this.#recorders.get(keyText(key))?.recorder.openSegment()) ?? null;
  }

  subscribe(subscription: LiveSubscription, port: MessagePort): void {
    this.#feed(keyText(subscription)).add(port, subscription.keyframesOnly);
  }

  stop(): Promise<void> {
    return this.#inOrder(async () => {
      await Promise.all(Array.from(this.#recorders, ([key, { recorder }]) => this.#end(key, recorder)));
      await this.#leftovers.idle();
      this.#stopClock();
      await this.#sounds?.close();
      for (const feed of this.#feeds.values()) feed.close();
      this.#feeds.clear();
    });
  }

  #start(key: string, stream: IngestStream, settings: IngestSettings, ledger: ChildLedger, sounds: SoundMemory): void {
    const recorder = new Recorder({
      stream, settings, ledger, sounds,
      clock: this.#clock,
      anchor: this.#anchor,
      pulse: this.#pulse,
      preRolls: this.#preRolls,
      leftovers: this.#leftovers,
      feed: this.#feed(key),
      lastSession: Math.max(this.#sessions.get(key) ?? 0, stream.afterSession ?? 0),
      nextInitId: () => (this.#initIds += 1),
      notify: this.#notify,
      drained: this.#drained,
    });
    this.#recorders.set(key, { recorder, wanted: fingerprint(stream, settings) });
  }

  async #end(key: string, recorder: Recorder): Promise<void> {
    // Whoever comes while files are still being closed is shown no picture of before; nor one that came meanwhile.
    this.#feeds.get(key)?.wait(this.#clock.nowMs());
    await recorder.stop();
    this.#sessions.set(key, recorder.lastSession);
    this.#received.set(key, { ...recorder.key, receivedBytes: (this.#received.get(key)?.receivedBytes ?? 0) + recorder.receivedBytes });
    this.#recorders.delete(key);
    this.#feeds.get(key)?.wait(this.#clock.nowMs());
  }

  #feed(key: string): LiveFeed {
    let feed = this.#feeds.get(key);
    if (feed === undefined) {
      feed = new LiveFeed(this.#clock.nowMs());
      this.#feeds.set(key, feed);
    }
    return feed;
  }

  async #openLedger(settings: IngestSettings): Promise<ChildLedger> {
    const ledger = new ChildLedger(settings.dataDir);
    const orphans = await ledger.reapOrphans();
    if (orphans.length > 0) this.#notify({ type: 'log', level: 'warn', message: `ended ${orphans.length} ffmpeg left over from an earlier life` });
    this.#ledger = ledger;
    return ledger;
  }

  /** A step of the system clock ends every open segment at its next keyframe, each with the time it began with (T1). */
  #compareClock(): void {
    const nowMs = this.#clock.nowMs();
    const monotonicMs = this.#clock.monotonicMs();
    if (!this.#anchor.steps(nowMs, monotonicMs)) {
      this.#anchor.compare(nowMs, monotonicMs);
      return;
    }
    for (const { recorder } of this.#recorders.values()) recorder.clockSteps();
    const stepMs = this.#anchor.compare(nowMs, monotonicMs);
    this.#notify({ type: 'log', level: 'warn', message: `the system clock stepped by ${Math.round(stepMs)} ms` });
  }

  #inOrder(change: () => Promise<void>): Promise<void> {
    const done = this.#changes.then(change);
    this.#changes = done.catch(() => undefined);
    return done;
  }
}

function keyText(key: StreamKey): string {
  return `${key.cameraId}/${key.stream}`;
}

/** Everything on which a running recorder depends; hashed, because it holds a password. Which disk it records to is not: the next segment goes to another one. */
function fingerprint(stream: IngestStream, settings: IngestSettings): string {
  // What is kept changes without a new session (R8).
  const { afterSession: _unused, keep: _followed, record, ...rest } = stream;
  return createHash('sha256').update(JSON.stringify([rest, record !== null, settings.ffmpegPath])).digest('hex');
}
