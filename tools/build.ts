/** `npm run build`: the interface and the programs, and the stamp by which a start knows that they are of these sources. */
import path from 'node:path';
import { build } from 'vite';
import { buildPrograms } from '../main/vite.config.ts';
import { writeStamp } from './start/build.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const quiet = process.argv.includes('--quiet');

await build({ configFile: path.join(ROOT, 'vite.config.ts'), root: path.join(ROOT, 'renderer'), logLevel: quiet ? 'error' : 'info' });
await buildPrograms();
await writeStamp(ROOT);
