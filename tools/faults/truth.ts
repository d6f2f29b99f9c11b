/** Owns the truth about a round's footage: each picture that a camera sent, and whether it can be seen in a file. It knows no row, tail or journal. */
import type { CameraId } from '../../shared/model/ids.ts';
import type { EpochMs } from '../../shared/time.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { decodeFrames } from '../../tests/support/decoded-frames.ts';
import { PICTURE } from './cameras-main.ts';
import type { FaultHouse } from './house.ts';

/** A picture that left a camera for somebody who was connected. */
export interface SentPicture {
  readonly sentMs: EpochMs;
  readonly capturedMs: EpochMs;
  readonly recorded: boolean;
}

export interface StreamTruth {
  readonly cameraId: CameraId;
  /** The simulated camera's number. */
  readonly camera: number;
  /** In the order sent. */
  readonly pictures: readonly SentPicture[];
  /** What decoding said: files that cannot be shown, pictures that nobody sent. */
  readonly problems: readonly string[];
}

/** Decodes every file of the round and finds each picture in the simulator's log. */
export async function truthOf(house: FaultHouse): Promise<readonly StreamTruth[]> {
  return await Promise.all([...house.cameras].map(([cameraId, camera]) => truthOfCamera(house, cameraId, camera)));
}

async function truthOfCamera(house: FaultHouse, cameraId: CameraId, camera: number): Promise<StreamTruth> {
  const problems: string[] = [];
  const numbers: number[] = [];
  for (const file of await house.newFiles(cameraId)) {
    try {
      for (const { frameNumber } of await decodeFrames(file, PICTURE.width, PICTURE.height)) numbers.push(frameNumber);
    } catch (error) {
      problems.push(error instanceof Error ? error.message.slice(0, 300) : String(error));
    }
  }
  const sent = await house.simulator.sendLog(camera, 'main', house.beganMs);
  const recorded = new Set(matchInOrder(sent.map(({ frameIndex }) => frameIndex), numbers, problems));
  return { cameraId, camera, problems, pictures: sent.map(({ sentMs, capturedMs }, index) => ({ sentMs, capturedMs, recorded: recorded.has(index) })) };
}

/**
 * Places in `sent` of the recorded numbers. Numbers come again when the loop is over or a camera starts anew, so each is
 * looked for behind the one before it; what is not found there was recorded twice, in a wrong order or from nowhere.
 */
export function matchInOrder(sent: readonly number[], recorded: readonly number[], problems: string[]): readonly number[] {
  const places = new Map<number, number[]>();
  sent.forEach((number, index) => {
    const list = places.get(number);
    if (list === undefined) places.set(number, [index]);
    else list.push(index);
  });
  const found: number[] = [];
  let strangers = 0;
  for (const number of recorded) {
    const place = places.get(number)?.find((index) => index > (found.at(-1) ?? -1));
    if (place === undefined) strangers += 1;
    else found.push(place);
  }
  if (strangers > 0) problems.push(`${strangers} recorded pictures are twice in the files, out of order, or were never sent`);
  return found;
}

/** The first and the last picture that were recorded; throws where none was. */
export function recordedBounds({ pictures, camera }: StreamTruth): readonly [number, number] {
  const first = pictures.findIndex((picture) => picture.recorded);
  if (first === -1) throw new Error(`nothing of camera ${camera} was recorded`);
  return [first, forceUnwrap('one was recorded', pictures.findLastIndex((picture) => picture.recorded))];
}
