/** Moves the oldest segment of an archive and dies at a step of it, as a process is killed. Arguments: data folder, both roots' ids, the step. */
import process from 'node:process';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { openArchive } from '../../main/engine/storage/archive.ts';
import type { RootId } from '../../shared/model/ids.ts';
import { forceUnwrap } from '../../shared/result.ts';

const [dataDir = '', from = '', to = '', dieAt = ''] = process.argv.slice(2);
const archive = await openArchive({ dataDir, clock: systemClock, logger: silentLogger });
await archive.recoverTails();
archive.moves.onStep = (step) => {
  if (step === dieAt) process.kill(process.pid, 'SIGKILL');
};
const [oldest] = await archive.moves.oldest(from as RootId, 1);
await archive.moves.move(forceUnwrap('the archive holds footage', oldest), from as RootId, to as RootId, { clock: systemClock, bytesPerSecond: 1e9, signal: new AbortController().signal });
await archive.close();
