/** `npm start`: loads the program (start/program.ts) with what an earlier start compiled, which takes a third of the time that reading its TypeScript does. */
import { enableCompileCache } from 'node:module';
import path from 'node:path';

// In the owner's clone; where it cannot be written, the start is slower and nothing else.
enableCompileCache(path.resolve(import.meta.dirname, '../node_modules/.cache/porchlight-start'));
const [{ main }, { PorchlightError }] = await Promise.all([import('./start/program.ts'), import('../shared/errors.ts')]);

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof PorchlightError ? error.message : String(error instanceof Error ? (error.stack ?? error.message) : error)}\n`);
  process.exitCode = 1;
}
