/** What a tile of recordings says about the moment it shows; pure. */
import type { EpochMs } from '../../shared/time.ts';
import type { FootageFeed } from './footage-feed.ts';
import type { TilePhase } from './tile-player.ts';

/** The phase at a moment, or null where it stays what it is: while the sought picture is on its way. */
export function phaseOfRecorded(feed: Pick<FootageFeed, 'gapAt' | 'endMs'>, positionMs: EpochMs, seeking: boolean, before: TilePhase): TilePhase | null {
  if (before.kind === 'unsupported') return null;
  const gap = feed.gapAt(positionMs);
  if (gap !== null) return { kind: 'gap', startMs: gap.startMs, endMs: gap.endMs, cause: gap.cause, away: gap.away === true };
  if (feed.endMs !== null && positionMs >= feed.endMs) return { kind: 'end', atMs: feed.endMs };
  return seeking ? null : { kind: 'recorded' };
}

/** Whether a change from one to the other would tell nobody anything. */
export function samePhase(a: TilePhase, b: TilePhase): boolean {
  return a.kind === b.kind && (a.kind !== 'gap' || (b.kind === 'gap' && a.startMs === b.startMs && a.endMs === b.endMs));
}
