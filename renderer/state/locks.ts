/** Locks in force, kept in step with the engine. */
import { useEngineEvent, useQuery, type QueryState } from '../api/engine-context.tsx';
import { useIsAway } from './place.tsx';
import type { LockWithFootage } from '../../shared/model/locks.ts';

/** What each lock holds comes with it. Of another home nothing is asked: what is kept there is its own matter. */
export function useLocks(): QueryState<readonly LockWithFootage[]> {
  const locks = useQuery('locks.list', useIsAway() ? null : {});
  useEngineEvent('locks.changed', locks.refresh);
  return locks;
}
