/** The grammar of preview packs' names (docs/design/previews.md): one pack per camera and UTC hour, decoded as strictly as encoded. */
import path from 'node:path';
import type { CameraId } from '../../../shared/model/ids.ts';
import { type EpochMs, HOUR_MS, utcDay, utcHour } from '../../../shared/time.ts';

const PACK_NAME = /^(\d{4}-\d{2}-\d{2})\/(\d{2})\.jpgs$/;
const DAY_NAME = /^\d{4}-\d{2}-\d{2}$/;
const PREVIEWS = 'previews';

/** The hour, in UTC, that a moment's preview is packed in, as its first moment. */
export function packHourMs(atMs: EpochMs): EpochMs {
  return Math.floor(atMs / HOUR_MS) * HOUR_MS;
}

/** A camera's previews under one root: `<root>/<camera-id>/previews`. */
export function previewFolder(rootPath: string, cameraId: CameraId): string {
  return path.join(rootPath, cameraId, PREVIEWS);
}

/** `2026-11-21/14.jpgs`, with `/` on every system, for the hour that begins at `hourMs`. */
export function encodePackName(hourMs: EpochMs): string {
  return `${utcDay(hourMs)}/${utcHour(hourMs)}.jpgs`;
}

/** The hour a pack's name (`2026-11-21/14.jpgs`) stands for, or null where it is no such name: the calendar is checked too. */
export function decodePackName(name: string): EpochMs | null {
  const match = PACK_NAME.exec(name);
  if (match === null) return null;
  const hourMs = Date.parse(`${match[1]}T${match[2]}:00:00.000Z`);
  return Number.isFinite(hourMs) && encodePackName(hourMs) === name ? hourMs : null;
}

/** Whether a folder under `previews` is a day (`2026-11-21`) of the calendar. */
export function isDayName(name: string): boolean {
  return DAY_NAME.test(name) && decodePackName(`${name}/00.jpgs`) !== null;
}

/** Where the pack for an hour lies under a root. */
export function packPath(rootPath: string, cameraId: CameraId, hourMs: EpochMs): string {
  return path.join(previewFolder(rootPath, cameraId), ...encodePackName(hourMs).split('/'));
}

/**
 * Of the packs in a camera's `previews` folder (`2026-11-21/14.jpgs`, any order), those whose whole hour lies before
 * `beforeMs`, oldest first: what retention deletes once the footage before that moment is gone. Other names are left alone.
 */
export function previewFilesOlderThan(names: readonly string[], beforeMs: EpochMs): readonly string[] {
  return names
    .map((name) => ({ name, hourMs: decodePackName(name) }))
    .filter((pack): pack is { name: string; hourMs: number } => pack.hourMs !== null && pack.hourMs + HOUR_MS <= beforeMs)
    .sort((a, b) => a.hourMs - b.hourMs)
    .map((pack) => pack.name);
}
