/** A process that owns an ingest thread, for tests that kill it: node recorder-owner.ts, one JSON line {url, username, password, folder, rootId, rootPath, sound} on stdin; prints {"closed": path} and {"live": true}. */
import { createInterface } from 'node:readline';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import type { IngestStream } from '../../main/engine/ports/ingest.ts';
import { createIngest } from '../../main/engine/recorder/ingest-host.ts';

interface Order {
  readonly stream: IngestStream;
  readonly folder: string;
}

createInterface({ input: process.stdin }).once('line', (line) => {
  const { stream, folder } = JSON.parse(line) as Order;
  const ingest = createIngest({ clock: systemClock, logger: silentLogger });
  ingest.onNotice((notice) => {
    if (notice.type === 'status') process.stdout.write(`${JSON.stringify({ state: notice.status.state })}\n`);
  });
  void ingest.configure([stream], { ffmpegPath: 'ffmpeg', dataDir: folder });
});
