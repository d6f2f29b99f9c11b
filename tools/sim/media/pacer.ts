/** Owns the simulator's one timer: everything that is sent on time is woken from here, however many streams there are. */

/** Wake-ups closer together than this are served together; a frame may so leave up to 2 ms late. */
const GRAIN_MS = 2;

export interface Paced {
  /** When it wants to be woken, on the monotonic clock of `monotonicMs`. */
  dueMs: number;
  /** Called at or after `dueMs`; must move `dueMs` on. */
  fire(nowMs: number): void;
}

/** Milliseconds on a clock that no step of the system clock moves. */
export function monotonicMs(): number {
  return performance.now();
}

const paced = new Set<Paced>();
let timer: NodeJS.Timeout | null = null;

function arm(): void {
  if (timer !== null || paced.size === 0) return;
  let earliest = Infinity;
  for (const item of paced) earliest = Math.min(earliest, item.dueMs);
  timer = setTimeout(tick, Math.max(GRAIN_MS, earliest - monotonicMs()));
}

function tick(): void {
  timer = null;
  const now = monotonicMs();
  for (const item of paced) if (item.dueMs <= now) item.fire(now);
  arm();
}

/** Starts waking it; until `stopPacing`. */
export function startPacing(item: Paced): void {
  paced.add(item);
  if (timer !== null) clearTimeout(timer);
  timer = null;
  arm();
}

export function stopPacing(item: Paced): void {
  paced.delete(item);
  if (paced.size === 0 && timer !== null) {
    clearTimeout(timer);
    timer = null;
  }
}
