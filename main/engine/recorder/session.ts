/** One ffmpeg life (runOnce): from its first byte to the reason why it ended; nothing in here tries again. */
import { MalformedMediaError } from '../../../shared/media/boxes.ts';
import { FragmentSplitter, type SplitUnit } from '../../../shared/media/fragment-splitter.ts';
import { inputScript, type ProbeDepth, recordArgs, type Sound, type Times } from '../ffmpeg/args.ts';
import { CODEC_NOT_KEPT, type FfmpegFailure, readFailure } from '../ffmpeg/errors.ts';
import type { ChildLedger } from '../ffmpeg/ledger.ts';
import type { OutputPipe } from '../ffmpeg/output-pipe.ts';
import { type FfmpegExit, type FfmpegProcess, startFfmpeg } from '../ffmpeg/process.ts';
import type { Clock } from '../core/clock.ts';
import type { IngestStream } from '../ports/ingest.ts';
import type { SessionFragment } from './media.ts';
import type { Pulse } from './pulse.ts';
import { SessionMedia } from './session-media.ts';
import type { StreamMeter } from './stream-meter.ts';
import { judge } from './watchdog.ts';
import type { WallAnchor } from './wall-clock.ts';

export interface SessionParts {
  readonly stream: IngestStream;
  readonly ffmpegPath: string;
  readonly sound: Sound;
  readonly depth: ProbeDepth;
  readonly times: Times;
  /** Of the watchdog. */
  readonly patience: number;
  readonly clock: Clock;
  readonly anchor: WallAnchor;
  readonly ledger: ChildLedger;
  readonly pulse: Pulse;
  readonly meter: StreamMeter;
  readonly nextInitId: () => number;
  readonly onFragment: (fragment: SessionFragment) => void;
  /** The wall time of media is about to change without the clock having stepped. */
  readonly onTimestampJump: () => void;
  readonly onMedia: (media: SessionMedia) => void;
  /** Whether somebody needs frames the moment they come. */
  readonly urgent: () => boolean;
  /** Aborted when the camera sends sound that this session did not ask for. */
  readonly soundCame: AbortSignal;
}

export type SessionEnd =
  | { readonly reason: 'stopped' }
  /** ffmpeg ended by itself. */
  | { readonly reason: 'ended'; readonly failure: FfmpegFailure; readonly lines: readonly string[] }
  | { readonly reason: 'ffmpeg-missing'; readonly error: Error }
  /** ffmpeg was ended by a signal or a fault of its own: nothing the camera did. */
  | { readonly reason: 'crashed'; readonly detail: string }
  | { readonly reason: 'stalled' | 'never-started' | 'no-keyframes' | 'parameters-changed' | 'malformed' | 'times-stand-still' | 'times-run-wild'; readonly detail: string };

/** How often silence is looked at. */
const JUDGE_MS = 500;

/** Lives until ffmpeg ends, the watchdog loses trust, the parameters change, or `signal` aborts. The child is reaped when it resolves. */
export async function runSession(parts: SessionParts, signal: AbortSignal): Promise<SessionEnd> {
  const { stream, clock } = parts;
  const child = await startFfmpeg({
    path: parts.ffmpegPath,
    args: recordArgs(parts.sound),
    stdin: inputScript(stream, parts.depth, parts.sound === 'none' ? 'video' : 'video+audio', parts.times),
    pipes: parts.sound === 'none' ? 1 : 2,
    secrets: stream.password === null ? [] : [stream.password],
    clock,
  });
  if (child.pid > 0) void parts.ledger.add(child.pid);
  try {
    const end = await live(parts, child, signal);
    await child.stop();
    return end;
  } finally {
    for (const pipe of child.pipes) pipe.close();
    if (child.pid > 0) void parts.ledger.remove(child.pid);
  }
}

async function live(parts: SessionParts, child: FfmpegProcess, signal: AbortSignal): Promise<SessionEnd> {
  const { clock, meter } = parts;
  const startedMs = clock.monotonicMs();
  const endings: (() => void)[] = [];
  try {
    return await new Promise<SessionEnd>((resolve) => {
      const end = (reason: Exclude<SessionEnd['reason'], 'ended' | 'crashed' | 'stopped' | 'ffmpeg-missing'> | 'codec-not-kept', detail: string): void => {
        media.close();
        if (reason === 'codec-not-kept') {
          resolve({ reason: 'ended', failure: CODEC_NOT_KEPT, lines: [`the video is ${detail}`] });
          return;
        }
        resolve({ reason, detail });
      };
      const media: SessionMedia = new SessionMedia({ ...parts, onEnd: end });
      parts.onMedia(media);
      endings.push(attach(parts, child, media, end));
      const stop = (): void => resolve({ reason: 'stopped' });
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop);
      const renew = (): void => end('parameters-changed', 'the camera began to send sound');
      parts.soundCame.addEventListener('abort', renew);
      endings.push(() => signal.removeEventListener('abort', stop), () => parts.soundCame.removeEventListener('abort', renew));
      endings.push(
        parts.pulse.every(JUDGE_MS, () => {
          guarded(end, () => media.tick());
          const verdict = judge({ startedMs, patience: parts.patience, ...meter.facts() }, clock.monotonicMs());
          if (verdict !== 'fine') end(verdict, child.lastLines().at(-1) ?? '');
        }),
      );
      void child.exited.then((exit) => {
        for (const pipe of child.pipes) pipe.drain();
        guarded(end, () => media.drain());
        const crash = crashOf(exit);
        const missing = exit.startError ?? notFound(exit, child.lastLines());
        if (missing !== null) resolve({ reason: 'ffmpeg-missing', error: missing });
        else if (crash !== null) resolve({ reason: 'crashed', detail: [crash, ...child.lastLines().slice(-4)].join(' | ') });
        else resolve({ reason: 'ended', failure: readFailure(child.lastLines()), lines: child.lastLines() });
      });
    });
  } finally {
    for (const ending of endings) ending();
  }
}

/** Bytes that are not what they should be end the session; anything else is a bug and ends the thread. */
function guarded(end: (reason: 'malformed', detail: string) => void, take: () => void): void {
  try {
    take();
  } catch (error) {
    if (!(error instanceof MalformedMediaError)) throw error;
    end('malformed', error.message);
  }
}

/** What a shell and the guard of a child's life (process.ts) end with where there is no program to run, or none that may be. */
const NOT_FOUND: readonly (number | null)[] = [126, 127];

function notFound({ code }: FfmpegExit, lines: readonly string[]): Error | null {
  return NOT_FOUND.includes(code) ? new Error(lines.at(-1) ?? `it ended with ${code}`) : null;
}

/** Windows ends a faulty program with an NTSTATUS error of the system (facility 0) as its exit code; ffmpeg's own errors lie above. */
const SYSTEM_FAULT = 0xc000;

/** How a child crashed, in words; null when it ended by itself. Asked before anybody asked it to end. */
function crashOf({ code, signal }: FfmpegExit): string | null {
  if (signal !== null) return `ffmpeg was ended by ${signal}`;
  return code !== null && code >>> 16 === SYSTEM_FAULT ? `ffmpeg crashed (0x${(code >>> 0).toString(16)})` : null;
}

/** Reads the child's outputs by the pulse; returns what ends it. */
function attach(parts: SessionParts, child: FfmpegProcess, media: SessionMedia, end: (reason: 'malformed', detail: string) => void): () => void {
  let readBytes = 0;
  let over = false;
  const feed = (pipe: OutputPipe, take: (unit: SplitUnit) => void): void => {
    const splitter = new FragmentSplitter(take, undefined, true);
    pipe.listen((chunk) => {
      readBytes += chunk.length;
      parts.meter.received(chunk.length);
      if (!over) guarded(end, () => splitter.push(chunk));
    });
  };
  const [video, sound] = child.pipes;
  if (video !== undefined) feed(video, (unit) => media.takeVideo(unit));
  if (sound !== undefined) feed(sound, (unit) => media.takeSound(unit));
  const leave = parts.pulse.join({ pipes: child.pipes, urgent: parts.urgent, readBytes: () => readBytes });
  return () => {
    // What came before the end is still footage.
    for (const pipe of child.pipes) pipe.drain();
    leave();
    over = true;
  };
}
