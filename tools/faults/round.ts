/** Owns one round: the product begins a life over an archive, a fault is made, it recovers, it ends; then everything is judged. */
import type { CameraTimeline } from '../../shared/model/timeline.ts';
import type { DurationMs } from '../../shared/time.ts';
import { waitFor } from '../../tests/support/wait.ts';
import { watchBusyShare } from '../bench/machine-load.ts';
import { checkArchive } from './archive-check.ts';
import { judgeHoldings, judgePictures, judgeTimeline } from './judge.ts';
import type { FaultKind, FaultMade, Round } from './fault-kind.ts';
import type { FaultHouse } from './house.ts';
import { endAll, type Holdings, holdingsOf, type OwnProcess } from './processes.ts';
import { type StreamTruth, truthOf } from './truth.ts';

export interface RoundResult {
  readonly kind: string;
  readonly family: string;
  /** One per stream: footage lost that had been sent before the fault. */
  readonly lostMs: readonly DurationMs[];
  /** One per stream that the fault met, where a process died. */
  readonly outageMs: readonly DurationMs[];
  readonly violations: readonly string[];
  /** Processes that outlived the product. */
  readonly orphans: number;
  /** Of all cores, 0 to 1, while the fault was made and got over. */
  readonly busyShare: number;
  readonly note: string;
}

/** Footage before the fault: longer than what any fault may cost. */
const BEFORE_S = 3;
/** A new engine compares its files, and lets go of the threads that did it. */
const SETTLE_LIMIT_MS = 20_000;

interface Lived {
  readonly made: FaultMade;
  readonly stoppedMs: number;
  readonly busyShare: number;
  readonly timelines: readonly CameraTimeline[];
  readonly left: readonly OwnProcess[];
  readonly violations: readonly string[];
}

/** Makes one fault and judges it. Never throws for what went wrong in the round: that is a violation. */
export async function runRound(kind: FaultKind, round: Round): Promise<RoundResult> {
  const result = { kind: kind.name, family: kind.family, lostMs: [], outageMs: [], orphans: 0, busyShare: 0, note: '' };
  try {
    const lived = await live(kind, round);
    const truths = await truthOf(round.house);
    return judge(kind, lived, truths, await checkArchive(round.house.mediaDir, round.house.dataDir));
  } catch (error) {
    endAll(round.house.processes());
    await round.house.forget();
    return { ...result, violations: [`the round came to no end: ${describe(error)}`] };
  } finally {
    await kind.clear?.(round);
  }
}

async function live(kind: FaultKind, round: Round): Promise<Lived> {
  const { house } = round;
  await house.beginRound();
  const { env = {}, clockAheadMs = 0 } = (await kind.prepare?.(round)) ?? {};
  await house.start(env);
  await house.footage(BEFORE_S, clockAheadMs);
  const before = holdingsOf(house.enginePid());
  const busy = watchBusyShare();
  const made = await kind.make(round);
  const busyShare = busy();
  const held = await settledHoldings(house, before);
  const timelines = await house.timelines(Date.now() + (made.clockAheadMs ?? 0));
  const stoppedMs = Date.now();
  const left = await house.stop();
  return { made, stoppedMs, busyShare, timelines, left, violations: held };
}

/** What the engine holds too much, once what a start does beside recording had time to end. */
async function settledHoldings(house: FaultHouse, before: Holdings): Promise<readonly string[]> {
  const judged = (): readonly string[] => judgeHoldings(before, holdingsOf(house.enginePid()), false);
  await waitFor('the engine to let go', () => judged().length === 0, SETTLE_LIMIT_MS, 500).catch(() => undefined);
  return judged();
}

function judge(kind: FaultKind, lived: Lived, truths: readonly StreamTruth[], wrong: readonly string[]): RoundResult {
  const { made, timelines, left } = lived;
  const verdicts = truths.map((truth) => judgePictures(truth, made, lived.stoppedMs, lived.busyShare));
  const told = truths.flatMap((truth) => {
    const timeline = timelines.find(({ cameraId }) => cameraId === truth.cameraId);
    return timeline === undefined ? [`camera ${truth.camera}: has no timeline`] : judgeTimeline(truth, timeline, made);
  });
  return {
    kind: kind.name, family: kind.family, busyShare: lived.busyShare, note: made.note ?? '',
    lostMs: verdicts.map(({ lostMs }) => lostMs),
    outageMs: verdicts.flatMap(({ outageMs }) => outageMs ?? []),
    orphans: left.length + (made.orphans ?? 0),
    violations: [
      ...lived.violations, ...(made.problems ?? []), ...verdicts.flatMap(({ violations }) => violations), ...told,
      ...wrong.map((finding) => `check: ${finding}`), ...left.map(({ command }) => `left behind: ${command.slice(0, 80)}`),
    ],
  };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause.message : error.cause;
  return `${error.message.slice(0, 600)}${cause === undefined ? '' : ` (last: ${typeof cause === 'string' ? cause : JSON.stringify(cause)})`}`;
}
