/** What the shell uses of the engine's core: time, the log, files replaced whole, the interface's files. Nothing else of the engine is its business. */
export { replaceFile } from '../engine/core/atomic-file.ts';
export { systemClock } from '../engine/core/clock.ts';
export { createLogger, type Logger } from '../engine/core/logger.ts';
export { openStaticFiles } from '../engine/core/static-files.ts';
