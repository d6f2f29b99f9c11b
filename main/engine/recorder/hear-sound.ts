/** Whether a camera sends the sound it announces: a short connection of its own, beside the one that records (R1's one exception). */
import type { DurationMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import { inputScript, listenArgs } from '../ffmpeg/args.ts';
import type { ChildLedger } from '../ffmpeg/ledger.ts';
import { startFfmpeg } from '../ffmpeg/process.ts';
import type { IngestStream } from '../ports/ingest.ts';

export interface Listening {
  readonly stream: IngestStream;
  readonly ffmpegPath: string;
  readonly clock: Clock;
  readonly ledger: ChildLedger;
}

/** Sound comes fifty times a second where it comes; the rest is connecting. */
const LISTEN_MS: DurationMs = 8_000;

/** True when a packet of sound came. The child is reaped when it resolves; it resolves early when `signal` aborts. */
export async function hearSound({ stream, ffmpegPath, clock, ledger }: Listening, signal: AbortSignal): Promise<boolean> {
  const child = await startFfmpeg({ path: ffmpegPath, args: listenArgs(), stdin: inputScript(stream, 'quick', 'audio'), pipes: 0, secrets: stream.password === null ? [] : [stream.password], clock });
  if (child.pid > 0) void ledger.add(child.pid);
  const over = new AbortController();
  const stop = (): void => over.abort();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    const heard = new Promise<boolean>((resolve) => child.output?.once('data', () => resolve(true)));
    const silence = (outcome: Promise<unknown>): Promise<boolean> => outcome.then(() => false);
    return await Promise.race([heard, silence(child.exited), silence(clock.sleep(LISTEN_MS, over.signal))]);
  } finally {
    signal.removeEventListener('abort', stop);
    over.abort();
    await child.stop();
    if (child.pid > 0) void ledger.remove(child.pid);
  }
}
