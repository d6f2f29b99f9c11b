/** How every camera is at the moment, for lists and events; told on change only. */
import type { CameraWithStatus } from '../../../shared/contract/engine-api.ts';
import type { Camera, CameraStatus } from '../../../shared/model/camera.ts';
import type { GapCause } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { Keeping } from '../../../shared/model/recording-mode.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { type Diagnosis, type HealthEvent, initialHealth, isLoginRefusal, reduceHealth, withDiagnosis, withDiskProblem } from './health.ts';
import type { Clock } from '../core/clock.ts';
import type { IngestNotice } from '../ports/ingest.ts';

export interface HealthBoardParts {
  readonly clock: Clock;
  readonly cameras: () => readonly Camera[];
  readonly onChange: (status: CameraStatus) => void;
}

export class HealthBoard {
  readonly #parts: HealthBoardParts;
  readonly #statuses = new Map<CameraId, CameraStatus>();
  /** Why the main stream of a camera is not written down, from the beginning of an outage to its end. */
  readonly #unwritten = new Map<CameraId, GapCause>();

  /** Main streams whose login was refused last. */
  readonly #loginRefused = new Set<CameraId>();
  readonly #diagnoses = new Map<CameraId, Diagnosis>();

  constructor(parts: HealthBoardParts) {
    this.#parts = parts;
    this.configured();
  }

  list(): readonly CameraWithStatus[] {
    return this.#parts.cameras().map((camera) => ({ camera, status: this.#statusOf(camera) }));
  }

  get(cameraId: CameraId): CameraStatus | null {
    return this.#statuses.get(cameraId) ?? null;
  }

  /** Whether what answers at a camera's address did not take the password when it was last asked. */
  loginRefused(cameraId: CameraId): boolean {
    return this.#loginRefused.has(cameraId);
  }

  take(notice: IngestNotice): void {
    if (notice.type === 'status' && notice.stream === 'main') this.#noteLogin(notice);
    if (notice.type === 'outage-began' && notice.stream === 'main') this.#unwritten.set(notice.cameraId, notice.cause);
    else if (notice.type === 'outage-ended' && notice.stream === 'main') this.#unwritten.delete(notice.cameraId);
    else if (notice.type !== 'status') return;
    // Pictures disprove what was wrong with the stream, but not whose they are.
    if (notice.type === 'status' && notice.stream === 'main' && notice.status.state === 'live' && this.#diagnoses.get(notice.cameraId) !== 'other-camera') this.#diagnoses.delete(notice.cameraId);
    const camera = this.#parts.cameras().find((one) => one.id === notice.cameraId);
    if (camera !== undefined) this.#apply(camera, { type: 'notice', notice });
  }

  clockOffset(cameraId: CameraId, offsetMs: number | null): void {
    const camera = this.#parts.cameras().find((one) => one.id === cameraId);
    if (camera !== undefined) this.#apply(camera, { type: 'clock', offsetMs });
  }

  /** What is kept of a camera by its mode, and until when its owner's own recording goes on. */
  keeping(cameraId: CameraId, keeping: Keeping, recordNowUntilMs: EpochMs | null): void {
    const camera = this.#parts.cameras().find((one) => one.id === cameraId);
    if (camera === undefined) return;
    const { recordNowUntilMs: _before, ...before } = this.#statusOf(camera);
    const after: CameraStatus = { ...before, keeping, ...(recordNowUntilMs === null ? {} : { recordNowUntilMs }) };
    if (JSON.stringify([after.keeping, after.recordNowUntilMs]) !== JSON.stringify([before.keeping, _before])) this.#set(camera, after);
  }

  /** What asking a camera brought to light; null when it is well. */
  diagnosed(cameraId: CameraId, diagnosis: Diagnosis | null): void {
    if ((this.#diagnoses.get(cameraId) ?? null) === diagnosis) return;
    if (diagnosis === null) this.#diagnoses.delete(cameraId);
    else this.#diagnoses.set(cameraId, diagnosis);
    const camera = this.#parts.cameras().find((one) => one.id === cameraId);
    if (camera === undefined) return;
    // Without a diagnosis any more, the sentence it gave goes too; the recorder's next word brings another where there is one.
    if (diagnosis === null && this.#statuses.get(cameraId)?.state === 'live') this.#set(camera, { ...this.#statusOf(camera), problem: null });
    this.#apply(camera, { type: 'configured' });
  }

  /** The list of cameras changed. */
  configured(): void {
    const cameras = this.#parts.cameras();
    for (const cameraId of this.#statuses.keys()) {
      if (cameras.some((camera) => camera.id === cameraId)) continue;
      this.#statuses.delete(cameraId);
      this.#unwritten.delete(cameraId);
      this.#diagnoses.delete(cameraId);
      this.#loginRefused.delete(cameraId);
    }
    for (const camera of cameras) this.#apply(camera, { type: 'configured' });
  }

  #noteLogin({ cameraId, status, problem }: Extract<IngestNotice, { type: 'status' }>): void {
    if (problem !== null && isLoginRefusal(problem.detail)) this.#loginRefused.add(cameraId);
    else if (problem !== null || status.state === 'live') this.#loginRefused.delete(cameraId);
  }

  #statusOf(camera: Camera): CameraStatus {
    const known = this.#statuses.get(camera.id);
    if (known !== undefined) return known;
    const first = initialHealth(camera, this.#parts.clock.nowMs());
    this.#statuses.set(camera.id, first);
    return first;
  }

  #apply(camera: Camera, event: HealthEvent): void {
    const before = this.#statusOf(camera);
    const heard = withDiskProblem(reduceHealth(before, event, camera, this.#parts.clock.nowMs()), this.#unwritten.get(camera.id) ?? null);
    this.#set(camera, withDiagnosis(heard, this.#diagnoses.get(camera.id) ?? null, camera));
  }

  #set(camera: Camera, after: CameraStatus): void {
    if (after === this.#statuses.get(camera.id)) return;
    this.#statuses.set(camera.id, after);
    this.#parts.onChange(after);
  }
}
