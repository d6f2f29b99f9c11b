/** Tables for the decisions: when a segment ends, when silence is a stall, what follows the end of a session. */
import { describe, expect, it } from 'vitest';
import type { CameraId } from '../../../shared/model/ids.ts';
import { readFailure } from '../ffmpeg/errors.ts';
import { CAMERA_LADDER, FRESH_LADDER, type LadderState, nextStep, SETTLED_LADDER, timesOf } from './ladder.ts';
import { rotatesAt } from './rotation.ts';
import { Outage } from './outage.ts';
import type { SessionEnd } from './session.ts';
import { judge, PATIENCE, START_GRACE_MS, stallLimitMs, type WatchdogFacts } from './watchdog.ts';

const MINUTE = 60_000;

describe('rotation', () => {
  const open = { startMs: 10 * MINUTE + 7_000, sizeBytes: 1 };
  it.each([
    [10 * MINUTE + 59_000, 7_000, false],
    [11 * MINUTE + 6_900, 7_000, false],
    [11 * MINUTE + 7_100, 7_000, true],
    [11 * MINUTE + 100, 0, true],
    [10 * MINUTE + 12_000, 9_000, true],
    [10 * MINUTE + 10_000, 9_000, false],
  ])('a keyframe at %d ms with the stream’s second at %d', (keyframeMs, offsetMs, expected) => {
    expect(rotatesAt(open, keyframeMs, offsetMs)).toBe(expected);
  });

  it('ends a file that grew too large', () => {
    expect(rotatesAt({ startMs: 0, sizeBytes: 2 ** 30 }, 1_000, 0)).toBe(true);
  });
});

describe('the watchdog', () => {
  const facts: WatchdogFacts = { startedMs: 0, lastVideoMs: 100_000, frameIntervalMs: 33, longestIntervalMs: 40, lastKeyframeMs: 100_000, keyframeDistanceMs: 1_000, patience: 1 };
  it.each([
    ['two seconds of silence', facts, 102_000, 'fine'],
    ['five seconds of silence', facts, 105_000, 'stalled'],
    ['a frame every two seconds', { ...facts, frameIntervalMs: 2_000 }, 108_000, 'fine'],
    ['a smart codec that pauses', { ...facts, longestIntervalMs: 6_000 }, 110_000, 'fine'],
    ['starting', { ...facts, lastVideoMs: null, lastKeyframeMs: null }, START_GRACE_MS - 1, 'fine'],
    ['never started', { ...facts, lastVideoMs: null, lastKeyframeMs: null }, START_GRACE_MS + 1, 'never-started'],
    ['waiting for the keyframe of a camera that showed its distance', { ...facts, lastVideoMs: null, lastKeyframeMs: null, keyframeDistanceMs: 30_000 }, 50_000, 'fine'],
    ['waiting again where it was in vain', { ...facts, lastVideoMs: null, lastKeyframeMs: null, keyframeDistanceMs: null, patience: 3 }, 40_000, 'fine'],
    ['the first of a camera that sends a picture each ten seconds', { ...facts, frameIntervalMs: 0, longestIntervalMs: 0 }, 110_000, 'fine'],
    ['frames but no keyframe', { ...facts, lastVideoMs: 200_000 }, 200_010, 'no-keyframes'],
    ['a keyframe each twenty seconds', { ...facts, lastVideoMs: 170_000, keyframeDistanceMs: 20_000 }, 170_010, 'fine'],
  ] as const)('%s', (_name, given, nowMs, verdict) => {
    expect(judge(given, nowMs)).toBe(verdict);
  });

  it('waits no longer than half a minute', () => {
    expect(stallLimitMs({ frameIntervalMs: 60_000, longestIntervalMs: 60_000 })).toBe(30_000);
  });
});

describe('the ladder', () => {
  const ended = (line: string): Extract<SessionEnd, { reason: 'ended' }> => ({ reason: 'ended', failure: readFailure([line]), lines: [line] });
  const unreachable = ended('Connection refused');
  const unauthorized = ended('401 Unauthorized');

  it.each(['method DESCRIBE failed: 404 Not Found', 'Stream map \'0:v:0\' matches no streams.', 'codec not currently supported in container'])('asks slower and slower where a camera answers that it has none: %s', (line) => {
    let state = FRESH_LADDER;
    const waits = SETTLED_LADDER.stepsMs.map(() => {
      const step = nextStep(state, ended(line), 0, 0.5);
      state = step.state;
      expect(step).toMatchObject({ connection: 'offline', cause: 'camera-refused' });
      return step.waitMs;
    });
    expect(waits).toEqual(SETTLED_LADDER.stepsMs);
  });

  it('asks soon where a camera that was away answers that it has none', () => {
    const away = Array.from({ length: 9 }).reduce<LadderState>((state) => nextStep(state, unreachable, 0, 0.5).state, FRESH_LADDER);
    expect(nextStep(away, ended('method DESCRIBE failed: 404 Not Found'), 0, 0.5).waitMs).toBe(SETTLED_LADDER.stepsMs[0]);
  });

  it('makes other sound than was announced playable, and goes without it where that fails too', () => {
    const lines = ['[mp4] Could not find tag for codec pcm_alaw in stream #0, codec not currently supported in container', 'Could not write header for output file #1 (incorrect codec parameters ?): Invalid argument'];
    const first = nextStep(FRESH_LADDER, { reason: 'ended', failure: readFailure(lines), lines }, 0, 0.5);
    expect(first).toMatchObject({ waitMs: 0, state: { changeSound: true, withoutSound: false } });
    expect(nextStep(first.state, { reason: 'ended', failure: readFailure(lines), lines }, 0, 0.5)).toMatchObject({ waitMs: 0, state: { withoutSound: true } });
    // A camera that went away before it sent anything, in the words of later versions.
    expect(nextStep(FRESH_LADDER, ended('[out#1/mp4 @ 0x1] Output file is empty, nothing was encoded'), 0, 0.5).state.changeSound).toBe(false);
  });

  it('asks for UDP at once where TCP is refused in other words than it should be, and for TCP again after that', () => {
    const lines = ["[concat @ 0x1] Impossible to open 'rtsp://10.0.0.9/x'", 'pipe:0: Server returned 400 Bad Request'];
    const refused: SessionEnd & { reason: 'ended' } = { reason: 'ended', failure: readFailure(lines), lines };
    const first = nextStep(FRESH_LADDER, refused, 0, 0.5);
    expect(first).toMatchObject({ cause: 'camera-refused', waitMs: 0, state: { overUdp: true } });
    expect(nextStep(first.state, refused, 0, 0.5)).toMatchObject({ waitMs: 1_000, state: { overUdp: false } });
    expect(nextStep(first.state, { reason: 'never-started', detail: '' }, 0, 0.5).state.overUdp).toBe(false);
    expect(nextStep(first.state, unreachable, 60_000, 0.5).state.overUdp).toBe(false);
    expect(nextStep(FRESH_LADDER, ended('method SETUP failed: 453 Not Enough Bandwidth'), 0, 0.5).state.overUdp).toBe(false);
  });

  it('climbs, repeats its last step, and starts anew after footage', () => {
    let state = FRESH_LADDER;
    const waits: (number | null)[] = [];
    for (let i = 0; i < 8; i += 1) {
      const step = nextStep(state, unreachable, 0, 0.5);
      waits.push(step.waitMs);
      state = step.state;
    }
    expect(waits).toEqual([...CAMERA_LADDER.stepsMs, 30_000, 30_000]);
    expect(nextStep(state, unreachable, 60_000, 0.5)).toMatchObject({ waitMs: 500, connection: 'offline', cause: 'camera-unreachable' });
    expect(nextStep(state, unreachable, 1_000, 0.5).waitMs).toBe(30_000);
  });

  it('waits longer for a first picture each time none came, and not once keyframes are known', () => {
    const waited = ['never-started', 'never-started', 'no-keyframes', 'never-started'] as const;
    const states = waited.reduce((all, reason) => [...all, nextStep(all.at(-1) ?? FRESH_LADDER, { reason, detail: '' }, 0, 0.5).state], [FRESH_LADDER]);
    expect(states.map(({ patience }) => PATIENCE[patience])).toEqual([1, 3, 6, 12, 12]);
    expect(nextStep(states.at(-1) ?? FRESH_LADDER, unreachable, 10 * MINUTE, 0.5).state.patience).toBe(0);
  });

  it('asks the camera’s clock again after it stood still once, and no more where it soon does again', () => {
    const stood = { reason: 'times-stand-still', detail: '' } as const;
    const once = nextStep(FRESH_LADDER, stood, 60_000, 0.5);
    expect([once.waitMs, timesOf(once.state)]).toEqual([0, 'camera']);
    expect(timesOf(nextStep(once.state, stood, 60 * MINUTE, 0.5).state)).toBe('camera');
    const twice = nextStep(once.state, stood, 1_000, 0.5);
    expect([twice.waitMs, timesOf(twice.state)]).toEqual([0, 'arrival']);
    expect(timesOf(nextStep(twice.state, unreachable, 60 * MINUTE, 0.5).state)).toBe('arrival');
  });

  it('stops at a wrong password', () => {
    expect(nextStep(FRESH_LADDER, unauthorized, 0, 0.5)).toMatchObject({ waitMs: null, connection: 'refused', cause: 'camera-refused' });
  });

  it('thinks twice where the password was right before', () => {
    const good = nextStep(FRESH_LADDER, unreachable, 60_000, 0.5).state;
    const first = nextStep(good, unauthorized, 0, 0.5);
    expect(first).toMatchObject({ waitMs: 60_000, connection: 'offline' });
    expect(nextStep(first.state, unauthorized, 0, 0.5)).toMatchObject({ waitMs: null, connection: 'refused' });
  });

  it('goes on at once where only the way to ask was wrong', () => {
    expect(nextStep(FRESH_LADDER, ended("Stream map '0:a:0' matches no streams."), 0, 0.5)).toMatchObject({ waitMs: 0, state: { withoutSound: true } });
    expect(nextStep(FRESH_LADDER, ended('Could not find codec parameters'), 0, 0.5)).toMatchObject({ state: { depth: 'thorough' } });
    expect(nextStep(FRESH_LADDER, { reason: 'parameters-changed', detail: '' }, 60_000, 0.5)).toMatchObject({ waitMs: 0 });
    expect(nextStep(FRESH_LADDER, { reason: 'crashed', detail: '' }, 60_000, 0.5)).toMatchObject({ waitMs: 0, cause: 'porchlight-failed' });
    expect(nextStep(FRESH_LADDER, { reason: 'crashed', detail: '' }, 0, 0.5)).toMatchObject({ waitMs: 500, cause: 'porchlight-failed' });
    expect(nextStep(FRESH_LADDER, { reason: 'stalled', detail: '' }, 60_000, 0.5)).toMatchObject({ waitMs: 0, cause: 'stream-stalled' });
  });
});

describe('the causes of an outage', () => {
  const key = { cameraId: 'cam-aaaaaaaaaaaa' as CameraId, stream: 'main' } as const;
  /** What is told of an outage that began with the end of footage at 1 s. */
  function told(play: (outage: Outage) => void): unknown[] {
    const notices: unknown[] = [];
    const outage = new Outage(key, 0, (notice) => {
      if (notice.type === 'outage-began') notices.push([notice.sinceMs, notice.cause]);
      if (notice.type === 'outage-ended') notices.push([notice.sinceMs, notice.atMs]);
    });
    outage.wrote(1_000);
    play(outage);
    outage.resumed(90_000);
    return notices;
  }

  it('of a silence is what the next attempt finds: a pulled cable was one from the beginning', () => {
    expect(told((outage) => {
      outage.began('stream-stalled', 'silence', { fromMs: 1_200, assumed: true });
      outage.began('camera-unreachable', 'no answer', { fromMs: 5_000 });
    })).toEqual([[1_000, 'stream-stalled'], [1_000, 'camera-unreachable'], [1_000, 90_000]]);
  });

  it('stays a stall where the camera took the connection, and is another from the attempt on that finds another', () => {
    expect(told((outage) => {
      outage.began('stream-stalled', 'silence', { fromMs: 1_200, assumed: true });
      outage.began('stream-stalled', 'connected, but no answer came', { fromMs: 5_000 });
      outage.began('stream-stalled', 'connected, but no answer came', { fromMs: 14_000 });
      outage.began('camera-unreachable', 'connection refused', { fromMs: 24_000 });
      outage.began('camera-refused', '503', { fromMs: 40_000 });
    })).toEqual([[1_000, 'stream-stalled'], [1_000, 'stream-stalled'], [24_000, 'camera-unreachable'], [40_000, 'camera-refused'], [1_000, 90_000]]);
  });

  it('is not our crash where a silent camera came first', () => {
    expect(told((outage) => {
      outage.began('stream-stalled', 'silence', { fromMs: 1_200, assumed: true });
      outage.began('porchlight-failed', 'ffmpeg crashed', { fromMs: 20_000 });
    })).toEqual([[1_000, 'stream-stalled'], [20_000, 'porchlight-failed'], [1_000, 90_000]]);
  });
});
