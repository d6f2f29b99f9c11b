/** The engine's process: a utility process of the app or a Node child; says so to its parent and ends when it is told to (docs/design/processes.md). */
import { enableCompileCache, flushCompileCache } from 'node:module';
import path from 'node:path';
import { systemClock } from './core/clock.ts';
import { describeError } from '../../shared/errors.ts';
import { ENGINE_EXIT } from '../../shared/contract/engine-process.ts';
import { runEngineSession, type StartEngine } from './process/engine-session.ts';
import { findParentLink } from './process/parent-link.ts';

/** Time for the last words to the parent to be written before the process ends. */
const LAST_WORDS_MS = 50;
/** A system that shuts down, or a service manager, ends all processes at once: the supervisor was asked too, and says why. */
const SUPERVISOR_SAYS_WHY_MS = 1_000;

/**
 * The engine's code is loaded with what an earlier life compiled, so that a restart after a crash records sooner. The
 * cache lies in the owner's data folder, never in one that others may write to; threads find it through the environment.
 */
const startEngine: StartEngine = async (init, parent) => {
  const { directory } = enableCompileCache(path.join(init.dataDir, 'compiled'));
  if (directory !== undefined) process.env['NODE_COMPILE_CACHE'] = path.join(init.dataDir, 'compiled');
  const { createEngine } = await import('./engine.ts');
  const engine = await createEngine(init, parent);
  // Now, not at the end: a life that is killed has none.
  flushCompileCache();
  return engine;
};

const link = findParentLink();
if (link === null) {
  process.stderr.write('The engine is started by Porchlight, not by hand. Use: npm start -- --serve\n');
  process.exit(ENGINE_EXIT.refused);
}
const session = runEngineSession(link, startEngine, (code) => systemClock.after(LAST_WORDS_MS, () => process.exit(code)));
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => systemClock.after(SUPERVISOR_SAYS_WHY_MS, () => session.stop('orphaned')));
// An error nobody caught leaves the process in an unknown state: end it, and the supervisor starts a clean one.
process.on('uncaughtException', (error) => {
  process.stderr.write(`The engine failed: ${describeError(error)}\n${error.stack ?? ''}\n`);
  process.exit(ENGINE_EXIT.crashed);
});
