/** One stream kept alive: run() lives through session after session, waits by the ladder, and says what is going on. */
import type { ConnectionState, SoundHandling, StreamStatus } from '../../../shared/model/camera.ts';
import type { GapCause } from '../../../shared/model/gap.ts';
import { type DurationMs, type EpochMs, MINUTE_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { Sound } from '../ffmpeg/args.ts';
import type { ChildLedger } from '../ffmpeg/ledger.ts';
import type { IngestNotice, IngestSettings, IngestStream, OpenSegment, StreamKeep, StreamKey } from '../ports/ingest.ts';
import { Footage } from './footage.ts';
import { Gate } from './gate.ts';
import { FRESH_LADDER, nextStep, timesOf, type LadderState } from './ladder.ts';
import type { Leftovers } from './leftovers.ts';
import { LiveFeed } from './live-feed.ts';
import type { SessionFragment } from './media.ts';
import { Outage } from './outage.ts';
import type { Pulse } from './pulse.ts';
import type { PreRollMemory } from './pre-roll.ts';
import { hearSound } from './hear-sound.ts';
import { runSession, type SessionEnd } from './session.ts';
import type { SessionMedia } from './session-media.ts';
import type { SoundMemory } from './sound-memory.ts';
import { StreamMeter } from './stream-meter.ts';
import { PATIENCE } from './watchdog.ts';
import type { WallAnchor } from './wall-clock.ts';

export interface RecorderParts {
  readonly stream: IngestStream;
  readonly settings: IngestSettings;
  readonly clock: Clock;
  readonly anchor: WallAnchor;
  readonly ledger: ChildLedger;
  /** Outlives this life of the engine. */
  readonly sounds: SoundMemory;
  readonly pulse: Pulse;
  readonly preRolls: PreRollMemory;
  readonly leftovers: Leftovers;
  /** Outlives this recorder when a stream's configuration changes. */
  readonly feed: LiveFeed;
  /** The last session number used for this stream; the next is larger. */
  readonly lastSession: number;
  readonly nextInitId: () => number;
  readonly notify: (notice: IngestNotice) => void;
  /** Whether the engine's main thread keeps up with what is sent to it. */
  readonly drained: () => boolean;
}

/** Every write, close and late sound is looked after this often. */
const TICK_MS: DurationMs = 200;
const RATES_MS: DurationMs = 5_000;
/** No camera that sends sound begins with it later than this after its first picture. */
const SILENT_AFTER_MS: DurationMs = 15_000;
/** How often a camera that announced sound and sent none is listened to again. */
const LISTEN_EACH_MS: DurationMs = 10 * MINUTE_MS;
/** A camera that is off for a week must not fill the log: half an hour of attempts per line. */
const TELL_EACH = 60;

export class Recorder {
  readonly key: StreamKey;
  readonly stream: IngestStream;
  readonly #parts: RecorderParts;
  readonly #abort = new AbortController();
  readonly #outage: Outage;
  readonly #footage: Footage | null;
  readonly #gate: Gate | null;
  #keep: StreamKeep | null;
  readonly #meter = new StreamMeter();
  #wake = new AbortController();
  #soundCame = new AbortController();
  #listening: Promise<void> | null = null;
  #media: SessionMedia | null = null;
  #connected = false;
  #session: number;
  /** When the session of now began to connect. */
  #attemptMs: EpochMs;
  #state: ConnectionState = 'connecting';
  #sinceMs: EpochMs;
  #problem: { readonly cause: GapCause; readonly detail: string } | null = null;
  #ladder: LadderState = FRESH_LADDER;
  #firstVideoMs: DurationMs | null = null;
  #lastVideoMs: DurationMs | null = null;
  #lastStatus = '';
  #lastEnd = '';
  #sameEnds = 0;
  readonly #done: Promise<void>;

  constructor(parts: RecorderParts) {
    const { stream, clock } = parts;
    this.#parts = parts;
    this.stream = stream;
    this.key = { cameraId: stream.cameraId, stream: stream.kind };
    this.#session = parts.lastSession;
    this.#keep = stream.keep ?? null;
    this.#sinceMs = clock.nowMs();
    this.#attemptMs = this.#sinceMs;
    this.#outage = new Outage(this.key, this.#sinceMs, (notice) => {
      if (stream.record !== null) parts.notify(notice);
    });
    this.#footage = stream.record === null ? null : new Footage({ stream, record: stream.record, clock, outage: this.#outage, leftovers: parts.leftovers, notify: parts.notify });
    this.#gate = this.#footage === null ? null : new Gate({ clock, footage: this.#footage, outage: this.#outage, memory: parts.preRolls, keep: stream.keep ?? null, onCutShort: () => this.#log('info', 'there is not enough memory for the time before an event that is to be kept; it is shorter') });
    this.#done = this.#run();
  }

  get lastSession(): number {
    return this.#session;
  }

  /** An ffmpeg of it runs. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Of all its sessions. */
  get receivedBytes(): number {
    return this.#meter.receivedBytes;
  }

  /** What is written down from now on; null: everything. The session goes on. */
  keep(keep: StreamKeep | null): void {
    this.#keep = keep;
    this.#gate?.set(keep);
    this.#report();
  }

  /** Ends the wait, also one without end. */
  retry(): void {
    if (this.#state === 'refused') this.#ladder = FRESH_LADDER;
    this.#wake.abort();
    this.#listen();
  }

  async openSegment(): Promise<OpenSegment | null> {
    return (await this.#footage?.snapshot()) ?? null;
  }

  /** The next segment goes to this disk; the connection to the camera stays. */
  recordTo(record: NonNullable<IngestStream['record']>): void {
    this.#footage?.recordTo(record);
  }

  /** The system clock is about to be followed over a step. */
  clockSteps(): void {
    this.#gate?.mappingChanges(false);
  }

  /** Resolves when ffmpeg is reaped and every file is closed. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#wake.abort();
    await Promise.all([this.#done, this.#listening]);
  }

  async #run(): Promise<void> {
    const { pulse } = this.#parts;
    const stopTicks = [pulse.every(TICK_MS, () => this.#tick()), pulse.every(RATES_MS, () => this.#look()), pulse.every(LISTEN_EACH_MS, () => this.#listen())];
    try {
      while (!this.#abort.signal.aborted) {
        const end = await this.#runOnce();
        if (end.reason === 'stopped') break;
        await this.#afterSession(end);
      }
    } finally {
      for (const stop of stopTicks) stop();
      await this.#gate?.end();
      this.#gate?.close();
    }
  }

  async #runOnce(): Promise<SessionEnd> {
    const { stream, settings, clock, anchor, ledger, pulse, feed } = this.#parts;
    this.#session = Math.max(this.#session + 1, Math.floor(clock.nowMs()));
    this.#attemptMs = clock.nowMs();
    this.#firstVideoMs = null;
    this.#meter.restart();
    this.#report();
    const sound = this.#ladder.withoutSound || this.#parts.sounds.isSilent(this.key) ? 'none' : this.#wantedSound();
    this.#soundCame = new AbortController();
    this.#connected = true;
    const end = await runSession(
      {
        stream: this.#ladder.overUdp ? { ...stream, transport: 'udp' } : stream,
        sound, clock, anchor, ledger, pulse,
        ffmpegPath: settings.ffmpegPath,
        depth: this.#ladder.depth,
        times: timesOf(this.#ladder),
        patience: PATIENCE[this.#ladder.patience] ?? 1,
        meter: this.#meter,
        nextInitId: this.#parts.nextInitId,
        onMedia: (media) => {
          this.#media = media;
          this.#gate?.begin({ session: this.#session, wallOf: (mediaMs) => media.wallOf(mediaMs), settled: () => media.settled() });
        },
        onFragment: (fragment) => this.#take(fragment),
        onTimestampJump: () => {
          this.#gate?.mappingChanges(true);
          this.#outage.began('stream-stalled', 'the camera’s timestamps jumped');
        },
        urgent: () => feed.hasViewers,
        soundCame: this.#soundCame.signal,
      },
      this.#abort.signal,
    );
    this.#connected = false;
    await this.#gate?.end();
    return end;
  }

  #tick(): void {
    this.#gate?.tick(this.#state === 'live');
    this.#footage?.tick(this.#parts.clock.monotonicMs());
  }

  #take(fragment: SessionFragment): void {
    if (fragment.video) {
      this.#lastVideoMs = this.#parts.clock.monotonicMs();
      this.#firstVideoMs ??= this.#lastVideoMs;
    }
    this.#gate?.take(fragment);
    this.#parts.feed.take(fragment, this.#parts.drained(), this.#keep === null || (this.#keep.window !== null && fragment.wallMs < this.#keep.window.untilMs));
    if (fragment.keyframe) {
      if (this.#state !== 'live') {
        this.#outage.connected();
        this.#change('live', null);
      } else this.#report();
    }
  }

  async #afterSession(end: Exclude<SessionEnd, { reason: 'stopped' }>): Promise<void> {
    const { clock, feed } = this.#parts;
    const footageMs = this.#firstVideoMs === null || this.#lastVideoMs === null ? 0 : Math.max(1, this.#lastVideoMs - this.#firstVideoMs);
    const step = nextStep(this.#ladder, end, footageMs, Math.random());
    this.#ladder = step.state;
    const silentMs = clock.monotonicMs() - (this.#lastVideoMs ?? 0);
    this.#outage.began(step.cause, step.detail, { fromMs: footageMs > 0 ? clock.nowMs() - silentMs : this.#attemptMs, assumed: step.assumed });
    this.#logEnd(end, footageMs);
    feed.wait(clock.nowMs());
    this.#change(step.connection, { cause: step.cause, detail: step.detail });
    this.#wake = new AbortController();
    if (this.#abort.signal.aborted) return;
    if (step.waitMs === null) await untilAborted(this.#wake.signal);
    else if (step.waitMs > 0) await clock.sleep(step.waitMs, this.#wake.signal);
  }

  #logEnd(end: Exclude<SessionEnd, { reason: 'stopped' }>, footageMs: DurationMs): void {
    const lines = end.reason === 'ended' ? end.lines.slice(-8).join(' | ') : end.reason === 'ffmpeg-missing' ? end.error.message : end.detail;
    // Addresses of ffmpeg's objects differ each time; the same end again is counted, not told.
    const text = `(${end.reason}): ${lines}`.replaceAll(/ @ 0x[0-9a-f]+/g, '');
    this.#sameEnds = text === this.#lastEnd && footageMs === 0 ? this.#sameEnds + 1 : 0;
    this.#lastEnd = text;
    if (this.#sameEnds > 0 && this.#sameEnds % TELL_EACH !== 0) return;
    const again = this.#sameEnds > 0 ? `, for the ${this.#sameEnds + 1}th time` : '';
    this.#log('warn', `session ended after ${Math.round(footageMs / 1_000)} s of video${again} ${text}`);
  }

  #log(level: 'info' | 'warn', message: string): void {
    this.#parts.notify({ type: 'log', level, message: `${this.key.cameraId}/${this.key.stream}: ${message}` });
  }

  #change(state: ConnectionState, problem: { readonly cause: GapCause; readonly detail: string } | null): void {
    if (state !== this.#state) this.#sinceMs = this.#parts.clock.nowMs();
    this.#state = state;
    this.#problem = problem;
    this.#report();
  }

  /** Says how the stream is, when that is something new. */
  #report(): void {
    const video = this.#media?.init?.video;
    const rates = this.#meter.rates();
    const live = this.#state === 'live';
    const status: StreamStatus = {
      kind: this.stream.kind,
      state: this.#state,
      recording: live && (this.#footage?.recording ?? false),
      codec: video?.codec ?? '',
      width: video?.width ?? 0,
      height: video?.height ?? 0,
      fps: rates.fps,
      bitsPerSecond: live ? roughly(rates.bitsPerSecond) : 0,
      keyframeDistanceMs: rates.keyframeDistanceMs === null ? null : roughly(rates.keyframeDistanceMs),
      sound: this.#sound(),
    };
    const text = JSON.stringify([status, this.#problem, this.#sinceMs]);
    if (text === this.#lastStatus) return;
    this.#lastStatus = text;
    this.#parts.notify({ type: 'status', ...this.key, status, sinceMs: this.#sinceMs, problem: this.#problem });
  }

  /** What is found out by time: rates, and whether announced sound comes. */
  #look(): void {
    this.#report();
    if (this.#media?.asksForSound !== true || this.#firstVideoMs === null) return;
    if (this.#media.hasSound) this.#parts.sounds.note(this.key, false);
    else if (this.#parts.clock.monotonicMs() - this.#firstVideoMs > SILENT_AFTER_MS) this.#parts.sounds.note(this.key, true);
  }

  /** Looks whether a camera sends sound by now, where this session did not ask for it because it was silent before. */
  #listen(): void {
    const { settings, clock, ledger, sounds } = this.#parts;
    if (this.#listening !== null || this.#state !== 'live' || this.#media?.asksForSound !== false || !sounds.isSilent(this.key) || this.#abort.signal.aborted) return;
    const listening = { stream: this.stream, ffmpegPath: settings.ffmpegPath, clock, ledger };
    this.#listening = hearSound(listening, this.#abort.signal).catch(() => false).then((heard) => {
      this.#listening = null;
      if (!heard) return;
      sounds.note(this.key, false);
      this.#soundCame.abort();
    });
  }

  #sound(): SoundHandling {
    if (this.#ladder.withoutSound) return 'none';
    if (this.stream.sound === 'none') return 'off';
    if (this.#parts.sounds.isSilent(this.key)) return 'announced-but-silent';
    if (this.#state === 'live' && this.#media !== null && !this.#media.hasSound) return 'announced-but-silent';
    return this.#wantedSound() === 'copy' ? 'copied' : 'transcoded';
  }

  #wantedSound(): Sound {
    return this.#ladder.changeSound && this.stream.sound === 'copy' ? 'transcode' : this.stream.sound;
  }
}

/** To two digits, so that a steady stream does not make news of every second. */
function roughly(value: number): number {
  if (value <= 0) return 0;
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return Math.round(value / unit) * unit;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
