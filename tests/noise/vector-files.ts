/** Finds the public test vectors beside the project; they are not part of it. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { VectorFiles, VectorReport, VectorReports } from './vector-checks.ts';

const FOLDER = process.env['PORCHLIGHT_VECTORS'] ?? path.resolve(import.meta.dirname, '../../../shared/vectors');

/** Why the tests cannot run here; null where they can, or where they must (PORCHLIGHT_REQUIRE_DATA=1) and so have to fail. */
export function vectorsMissing(): string | null {
  if (existsSync(FOLDER) || process.env['PORCHLIGHT_REQUIRE_DATA'] === '1') return null;
  return 'the test vectors are not here (PORCHLIGHT_VECTORS, or shared/vectors beside the project)';
}

/** All files; rejects where one is missing. */
export async function readVectors(): Promise<VectorFiles> {
  const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(path.join(FOLDER, `${name}.json`), 'utf8'));
  const [cacophony, snow, aesGcm, x25519, hkdf] = await Promise.all(['cacophony', 'snow', 'wycheproof-aes-gcm', 'wycheproof-x25519', 'wycheproof-hkdf-sha256'].map(read));
  return { cacophony, snow, aesGcm, x25519, hkdf } as VectorFiles;
}

/** The deferred patterns of both Noise files (Noise section 7.6), which Porchlight does not have. */
const DEFERRED = ['NK1', 'NX1', 'X1N', 'X1K', 'XK1', 'X1K1', 'X1X', 'XX1', 'X1X1', 'K1N', 'K1K', 'KK1', 'K1K1', 'K1X', 'KX1', 'K1X1', 'I1N', 'I1K', 'IK1', 'I1K1', 'I1X', 'IX1', 'I1X1'];

/** What every suite has to reach: all that can be run, and no less was run than is in the files. */
export const EXPECTED_COUNTS: Readonly<Record<keyof VectorReports, Omit<VectorReport, 'failed' | 'skipped'> & { skipped: number }>> = {
  cacophony: { passed: 36, refused: 0, skipped: DEFERRED.length },
  snow: { passed: 28, refused: 0, skipped: DEFERRED.length },
  aesGcm: { passed: 39, refused: 27, skipped: 250 },
  x25519: { passed: 487, refused: 31, skipped: 0 },
  hkdf: { passed: 83, refused: 3, skipped: 0 },
};

/** Reports as counts, to be compared with those expected; throws on the first that failed, or on a skipped Noise vector that is not a deferred pattern. */
export function countsOf(reports: VectorReports): typeof EXPECTED_COUNTS {
  const failed = Object.values(reports).flatMap((report) => report.failed);
  if (failed.length > 0) throw new Error(`${failed.length} vectors failed: ${failed.slice(0, 3).join('; ')}`);
  const wrongly = [...reports.cacophony.skipped, ...reports.snow.skipped].filter((pattern) => !DEFERRED.includes(pattern));
  if (wrongly.length > 0) throw new Error(`skipped, but no deferred pattern: ${wrongly.join(', ')}`);
  const count = ({ passed, refused, skipped }: VectorReport): (typeof EXPECTED_COUNTS)['snow'] => ({ passed, refused, skipped: skipped.length });
  return { cacophony: count(reports.cacophony), snow: count(reports.snow), aesGcm: count(reports.aesGcm), x25519: count(reports.x25519), hkdf: count(reports.hkdf) };
}
