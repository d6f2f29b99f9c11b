/** Whether gaps, events and locks in the index are those in the journals (I5). */
import { existsSync } from 'node:fs';
import type { ReadableDb } from './database.ts';
import { camerasIn, formatLine, type Happening, journalDays, readJournalDay } from './journal.ts';
import type { Finding } from './reconcile.ts';
import type { RootPlace } from './root-list.ts';

/** Compares the index with every journal that can be read. `allHere`: no disk is away, whose journals the index may well know. */
export function journalFindings(db: ReadableDb, roots: readonly RootPlace[], waiting: string | null, allHere: boolean): readonly Finding[] {
  const findings: Finding[] = [];
  const journaled = new Map<string, Happening>();
  const bases = [...roots.map((root) => root.path), ...(waiting !== null && existsSync(waiting) ? [waiting] : [])];
  for (const base of bases) {
    for (const cameraId of camerasIn(base)) {
      for (const day of journalDays(base, cameraId)) {
        const { happenings, unreadable } = readJournalDay(base, cameraId, day);
        for (const happening of happenings) journaled.set(formatLine(happening), happening);
        if (unreadable > 0) findings.push({ kind: 'torn-journal-line', invariant: 'I5', path: `${cameraId}/journal/${day}.jsonl`, sentence: `${unreadable} torn lines are passed over.`, notice: true });
      }
    }
  }
  const rowed = new Map(rowedHappenings(db).map((happening) => [formatLine(happening), happening]));
  for (const [line, happening] of journaled) {
    // What was taken back has no row.
    if (happening.type === 'gap' && journaled.has(formatLine({ type: 'ungap', gap: happening.gap }))) continue;
    if (!rowed.has(line)) findings.push({ kind: 'not-in-index', invariant: 'I5', path: 'journal', sentence: `The journal has what the index has not: ${line.trim()}`, happening });
  }
  let elsewhere = 0;
  for (const [line, happening] of rowed) {
    if (journaled.has(line)) continue;
    if (allHere) findings.push({ kind: 'not-in-journal', invariant: 'I5', path: 'journal', sentence: `The index has what no journal has: ${line.trim()}`, happening });
    else elsewhere += 1;
  }
  if (elsewhere > 0) findings.push({ kind: 'journal-away', invariant: 'I5', path: 'journal', sentence: `${elsewhere} gaps, events and locks are not in the journals of the disks that are here; a disk is away that may have them.`, notice: true });
  return findings;
}

/** Gaps, events and locks of the index, as a journal would write them. */
function rowedHappenings(db: ReadableDb): readonly Happening[] {
  const gaps = db.prepare('SELECT camera_id AS cameraId, stream, start_ms AS startMs, end_ms AS endMs, cause, detail FROM gaps JOIN streams ON streams.id = stream_id').all();
  const ungaps = db.prepare('SELECT camera_id AS cameraId, stream, start_ms AS startMs, end_ms AS endMs, cause, detail FROM ungaps JOIN streams ON streams.id = stream_id').all();
  const events = db.prepare('SELECT id, camera_id AS cameraId, start_ms AS startMs, end_ms AS endMs, kind, label FROM events').all();
  const locks = db.prepare('SELECT id, camera_id AS cameraId, start_ms AS startMs, end_ms AS endMs, note, created_ms AS createdMs FROM locks').all();
  const unlocks = db.prepare('SELECT id, camera_id AS cameraId, at_ms AS startMs, at_ms AS endMs FROM unlocks').all();
  return [...gaps.map((gap) => ({ type: 'gap', gap })), ...ungaps.map((gap) => ({ type: 'ungap', gap })), ...events.map((event) => ({ type: 'event', event })), ...locks.map((lock) => ({ type: 'lock', lock })), ...unlocks.map((unlock) => ({ type: 'unlock', unlock }))] as Happening[];
}
