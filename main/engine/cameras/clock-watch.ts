/** Keeps each camera's clock offset known: hourly, after sleep, and when asked because a login was refused. */
import { PorchlightError } from '../../../shared/errors.ts';
import type { Camera, ConnectionState } from '../../../shared/model/camera.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import { HOUR_MS, MINUTE_MS, type DurationMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';

export interface ClockWatchParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly cameras: () => readonly Camera[];
  /** Asks one camera for its time without a password; null where it tells none. */
  readonly readOffset: (camera: Camera) => Promise<DurationMs | null>;
  readonly onOffset: (cameraId: CameraId, offsetMs: DurationMs | null) => void;
}

export interface ClockWatch {
  /** Asks whoever is due, every minute, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Asks every camera that is due once. */
  runOnce(): Promise<void>;
  /** Makes a camera due at once (a refused login, a resume from sleep, a camera that came back); all of them without an id. */
  refresh(cameraId?: CameraId): void;
  /** How a camera's main stream is: one that is refused, or is back, is asked again. Its clock is why a login fails, and a reboot may have set it. */
  heard(cameraId: CameraId, state: ConnectionState): void;
}

export function createClockWatch(parts: ClockWatchParts): ClockWatch {
  const askedMs = new Map<CameraId, number>();
  const states = new Map<CameraId, ConnectionState>();
  const runOnce = async (): Promise<void> => {
    const nowMs = parts.clock.nowMs();
    // Wall time on purpose: it goes on while the computer sleeps, the monotonic clock may not.
    const due = parts.cameras().filter((camera) => camera.deviceUrl !== null && camera.paused === null && Math.abs(nowMs - (askedMs.get(camera.id) ?? -HOUR_MS)) >= HOUR_MS);
    for (const camera of due) {
      askedMs.set(camera.id, nowMs);
      try {
        parts.onOffset(camera.id, await parts.readOffset(camera));
      } catch (error) {
        if (!(error instanceof PorchlightError)) throw error;
        parts.log.debug(`the clock of ${camera.id} could not be read: ${error.message}`);
      }
    }
  };
  const refresh = (cameraId?: CameraId): void => (cameraId === undefined ? askedMs.clear() : void askedMs.delete(cameraId));
  return {
    runOnce,
    refresh,
    heard: (cameraId, state) => {
      const before = states.get(cameraId);
      states.set(cameraId, state);
      const isBack = state === 'live' && (before === 'offline' || before === 'refused');
      if (isBack || (state === 'refused' && before !== 'refused')) refresh(cameraId);
    },
    async run(signal) {
      while (!signal.aborted) {
        try {
          await runOnce();
        } catch (error) {
          parts.log.warn('reading the clocks of cameras failed', error);
        }
        await parts.clock.sleep(MINUTE_MS, signal);
      }
    },
  };
}
