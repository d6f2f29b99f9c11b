/** The public vectors of Noise, AES-GCM, X25519 and HKDF, with both of the relay's suites under Node (Chromium: tests/e2e/noise.spec.ts). */
import { expect, test } from 'vitest';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { webSuite } from '../../renderer/relay/web-suite.ts';
import { checkVectors } from '../noise/vector-checks.ts';
import { countsOf, EXPECTED_COUNTS, readVectors, vectorsMissing } from '../noise/vector-files.ts';
import { aesGcmOverNode } from '../noise/node-aes-gcm.ts';
import { aesGcmOverWebCrypto } from '../noise/web-aes-gcm.ts';

const MISSING = vectorsMissing();

test.for([
  ['node:crypto', nodeSuite, aesGcmOverNode],
  ['WebCrypto', webSuite, aesGcmOverWebCrypto],
] as const)('every usable vector holds over %s', async ([, suite, aesGcm], { skip }) => {
  skip(MISSING !== null, MISSING ?? '');
  const reports = await checkVectors(suite, aesGcm, await readVectors());
  expect(countsOf(reports)).toEqual(EXPECTED_COUNTS);
  console.log(`skipped as deferred patterns: ${reports.cacophony.skipped.join(' ')}`);
});
