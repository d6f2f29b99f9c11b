/** Coverage of days as a viewer sees it: what the index holds, what is being written, and what is missing right now. */
import type { OutputOf, ParsedOf } from '../../../shared/contract/engine-api.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import { isTimeZone, localDays } from '../../../shared/local-days.ts';
import type { LiveEdges } from '../catalog/live-edge.ts';
import { withOpenGaps } from '../catalog/right-now.ts';
import type { Clock } from '../core/clock.ts';
import type { ArchiveReader } from '../ports/archive.ts';
import type { TimelineParts } from './timeline-answer.ts';

export interface CoverageParts {
  readonly archive: { readonly read: Pick<ArchiveReader, 'dayCoverage'> };
  readonly clock: Clock;
  readonly edges: LiveEdges;
  readonly ledger: TimelineParts['ledger'];
}

/** Rejects with `invalid-input` for a name that is no time zone. */
export async function coverageDays({ archive, clock, edges, ledger }: CoverageParts, query: ParsedOf<'coverage.days'>): Promise<OutputOf<'coverage.days'>> {
  const timeZone = query.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!isTimeZone(timeZone)) throw new PorchlightError('invalid-input', 'This is not the name of a time zone. Write it like Europe/Berlin.');
  const nowMs = clock.nowMs();
  const days = localDays(Math.min(query.untilMs ?? nowMs, nowMs), query.days, timeZone);
  const window = { startMs: days[0]?.startMs ?? nowMs, endMs: days.at(-1)?.endMs ?? nowMs };
  // Taken before the index is asked: what gets its row meanwhile is in one of the two.
  const open = ledger.openGaps(nowMs);
  const nothing = query.cameraIds.map((cameraId) => ({ cameraId, spans: [], gaps: [], events: [] }));
  const now = withOpenGaps(edges.snapshot().extend(nothing, window, nowMs), open, window);
  return { timeZone, nowMs, cameras: await archive.read.dayCoverage({ cameraIds: query.cameraIds, days, nowMs, now: now.map(({ cameraId, spans, gaps }) => ({ cameraId, spans, gaps })) }) };
}
