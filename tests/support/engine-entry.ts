/** Which engine the tests start: the sources by hand, so that nothing has to be built first; in `npm test` the bundle it has just built, which is what ships and starts in half the time. */
import path from 'node:path';

export const ENGINE_ENTRY = path.resolve(import.meta.dirname, '../..', process.env['PORCHLIGHT_TEST_ENGINE'] ?? 'main/engine/engine-main.ts');
