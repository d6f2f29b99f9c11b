/** Locks in force, kept in step with the engine. */
import { useEngineEvent, useQuery, type QueryState } from '../api/engine-context.tsx';
import type { LockWithFootage } from '../../shared/model/locks.ts';

/** What each lock holds comes with it. */
export function useLocks(): QueryState<readonly LockWithFootage[]> {
  const locks = useQuery('locks.list', {});
  useEngineEvent('locks.changed', locks.refresh);
  return locks;
}
