/** Which names under a root are Porchlight's, and which are somebody else's and reported (I2). */
import path from 'node:path';
import { isCameraId } from '../../../shared/model/ids.ts';
import { decodePackName } from './preview-name.ts';
import type { Finding } from './reconcile.ts';
import { HARMLESS_NAMES, IDENTITY_FILE } from './root.ts';
import { STAGING_FILE } from './segment-copy.ts';
import { isDayFolder, isHourFolder, isStreamKind } from './segment-name.ts';
import { namesIn } from './walk.ts';

const CAMERA_FILES: ReadonlySet<string> = new Set(['camera.json', 'camera.json.previous', 'camera.json.new', 'previews', 'journal', 'main', 'sub']);
const JOURNAL_FILE = /^(.+)\.jsonl$/;

/** Names outside hour folders that Porchlight does not know; those in hour folders are found by the walk. */
export function strangerFindings(rootPath: string): readonly Finding[] {
  const strangers: string[] = [];
  const sift = (folder: string, isKnown: (name: string) => boolean): readonly string[] => {
    const names = namesIn(path.join(rootPath, folder));
    strangers.push(...names.filter((name) => !isKnown(name)).map((name) => path.posix.join(folder, name)));
    return names.filter(isKnown);
  };
  for (const camera of sift('', (name) => isCameraId(name) || name === IDENTITY_FILE || name === STAGING_FILE || name.startsWith(`${IDENTITY_FILE}.`) || HARMLESS_NAMES.has(name)).filter(isCameraId)) {
    for (const name of sift(camera, (known) => CAMERA_FILES.has(known))) {
      const folder = `${camera}/${name}`;
      if (isStreamKind(name)) for (const day of sift(folder, isDayFolder)) sift(`${folder}/${day}`, isHourFolder);
      if (name === 'previews') for (const day of sift(folder, isDayFolder)) sift(`${folder}/${day}`, (pack) => decodePackName(`${day}/${pack}`) !== null);
      if (name === 'journal') sift(folder, (file) => isDayFolder(JOURNAL_FILE.exec(file)?.[1] ?? ''));
    }
  }
  return strangers.map((name) => ({ kind: 'unknown-name', invariant: 'I2', path: name, sentence: 'No file of Porchlight has such a name; it is left alone.', notice: true }));
}
