/** Who may look in from away and who does, kept in step with the engine. */
import { useCallback, useEffect, useState } from 'react';
import type { PorchlightError } from '../../shared/errors.ts';
import type { RemoteState } from '../../shared/model/remote.ts';
import { asError, useEngine, useEngineEvent } from '../api/engine-context.tsx';

export interface RemoteQuery {
  /** Null until the engine has answered, and where this window may not ask. */
  readonly data: RemoteState | null;
  readonly error: PorchlightError | null;
  /** Takes over what a command answered, before the engine tells everybody. */
  readonly set: (state: RemoteState) => void;
  readonly refresh: () => Promise<void>;
}

export function useRemote(): RemoteQuery {
  const client = useEngine();
  const [state, setState] = useState<{ readonly data: RemoteState | null; readonly error: PorchlightError | null }>({ data: null, error: null });
  const set = useCallback((data: RemoteState) => setState({ data, error: null }), []);
  const refresh = useCallback(
    () =>
      client.ask('remote.state', {}).then(set, (error: unknown) => {
        setState((before) => ({ data: before.data, error: asError(error) }));
      }),
    [client, set],
  );
  useEffect(() => {
    void refresh();
    return client.onState(({ phase }) => {
      if (phase === 'connected') void refresh();
    });
  }, [client, refresh]);
  useEngineEvent('remote.changed', set);
  return { ...state, set, refresh };
}
