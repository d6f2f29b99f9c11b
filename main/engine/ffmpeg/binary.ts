/** Finds an ffmpeg that is new enough and able, once (DESIGN.md section 3): the setting, the packaged one, PATH. */
import path from 'node:path';
import { PorchlightError } from '../../../shared/errors.ts';
import { runToEnd } from './process.ts';

export interface FfmpegBinary {
  readonly ffmpegPath: string;
  /** As it names itself: `5.1.9-0+deb12u1`, `N-109000-g…`. */
  readonly version: string;
  readonly from: 'setting' | 'packaged' | 'path';
}

/** Options of concat scripts, on which the way of the password rests, came with 5.0. */
const OLDEST_MAJOR = 5;
const CHECK_MS = 10_000;

export interface FfmpegPlaces {
  /** Set by hand; nothing else is tried then. */
  readonly setting: string | null;
  /** Folder with `<platform>-<arch>/ffmpeg`. */
  readonly binDir: string | null;
}

/** Throws `ffmpeg-missing`, `ffmpeg-too-old` or `ffmpeg-failed` (something needed is not built in). */
export async function findFfmpeg(places: FfmpegPlaces): Promise<FfmpegBinary> {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const candidates: { ffmpegPath: string; from: FfmpegBinary['from'] }[] = [];
  if (places.setting !== null) candidates.push({ ffmpegPath: places.setting, from: 'setting' });
  else {
    if (places.binDir !== null) candidates.push({ ffmpegPath: path.join(places.binDir, `${process.platform}-${process.arch}`, `ffmpeg${suffix}`), from: 'packaged' });
    candidates.push({ ffmpegPath: `ffmpeg${suffix}`, from: 'path' });
  }
  for (const candidate of candidates) {
    const found = await check(candidate.ffmpegPath, candidate.from);
    if (found !== null) return found;
  }
  if (places.setting !== null) throw new PorchlightError('ffmpeg-missing', `There is no ffmpeg at ${places.setting}. Name the right place under Settings, or leave it empty.`);
  throw new PorchlightError('ffmpeg-missing', 'ffmpeg is not installed, and Porchlight needs it to record. Install it (for example: sudo apt install ffmpeg), or name its place under Settings.');
}

/** All questions at once: recording waits for the answers, and each costs the loading of a hundred libraries. */
async function check(ffmpegPath: string, from: FfmpegBinary['from']): Promise<FfmpegBinary | null> {
  const [run, formats, encoders] = await Promise.all([
    runToEnd(ffmpegPath, ['-hide_banner', '-version'], CHECK_MS),
    runToEnd(ffmpegPath, ['-hide_banner', '-formats'], CHECK_MS),
    runToEnd(ffmpegPath, ['-hide_banner', '-encoders'], CHECK_MS),
  ]);
  if (run.code === 'ENOENT' || run.code === 'EACCES' || run.code === 'ENOTDIR') return null;
  const version = /^ffmpeg version (\S+)/.exec(run.stdout)?.[1];
  if (!run.ok || version === undefined) throw new PorchlightError('ffmpeg-failed', `The program at ${ffmpegPath} is not a working ffmpeg. Install it again, or name another under Settings.`, run.stderr);
  if (isTooOld(version)) throw new PorchlightError('ffmpeg-too-old', `This ffmpeg is version ${version}; Porchlight needs ${OLDEST_MAJOR}.0 or newer. Update it, or name a newer one under Settings.`);
  requireCapabilities(ffmpegPath, formats.stdout, encoders.stdout);
  return { ffmpegPath, version, from };
}

/** Builds from git call themselves `N-…` or a date and are newer than any release we refuse. */
export function isTooOld(version: string): boolean {
  const major = /^n?(\d+)\./.exec(version)?.[1];
  return major !== undefined && Number(major) < OLDEST_MAJOR;
}

function requireCapabilities(ffmpegPath: string, formats: string, encoders: string): void {
  const missing = [
    ...['rtsp', 'concat'].filter((name) => !isListed(formats, 'D', name)),
    ...['mp4'].filter((name) => !isListed(formats, 'E', name)),
    ...['aac', 'mjpeg'].filter((name) => !isListed(encoders, '', name)),
  ];
  if (missing.length > 0) throw new PorchlightError('ffmpeg-failed', `The ffmpeg at ${ffmpegPath} was built without ${missing.join(', ')}. Install a complete one, or name another under Settings.`);
}

/** Lines are flags, names that a comma parts, and words: ` DE matroska,webm  Matroska / WebM`. */
function isListed(listing: string, flag: string, name: string): boolean {
  return listing.split('\n').some((line) => {
    const [flags = '', names = ''] = line.trim().split(/\s+/);
    return flags.includes(flag) && names.split(',').includes(name);
  });
}
