/** Waiting for conditions in tests, never for time. */
import { setTimeout as delay } from 'node:timers/promises';

/** Asks `probe` again and again until it answers something other than null, undefined or false; throws with the last answer or error when time is up. */
export async function waitFor<T>(what: string, probe: () => Promise<T> | T, limitMs = 20_000, stepMs = 100): Promise<Exclude<T, null | undefined | false>> {
  const endMs = performance.now() + limitMs;
  for (let last: unknown = 'no answer'; ; await delay(stepMs)) {
    try {
      const answer = await probe();
      if (answer !== null && answer !== undefined && answer !== false) return answer as Exclude<T, null | undefined | false>;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > endMs) throw new Error(`waited ${limitMs} ms for ${what}`, { cause: last });
  }
}
