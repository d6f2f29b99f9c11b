/** Hands the EngineClient of the home that is shown to every component, this computer's own beside it, and the hooks that ask through it. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { EngineEvents, EventName, InputOf, OperationName, OutputOf } from '../../shared/contract/engine-api.ts';
import { PorchlightError } from '../../shared/errors.ts';
import type { ConnectionState, EngineClient } from './engine-client.ts';

const EngineContext = createContext<EngineClient | null>(null);
const OwnEngineContext = createContext<EngineClient | null>(null);

/** Whom what is inside asks. */
export function EngineProvider({ client, children }: { readonly client: EngineClient; readonly children: ReactNode }): ReactNode {
  return <EngineContext value={client}>{children}</EngineContext>;
}

/** The engine of this computer: asked by everything that no other provider inside says otherwise to. */
export function OwnEngineProvider({ client, children }: { readonly client: EngineClient; readonly children: ReactNode }): ReactNode {
  return (
    <OwnEngineContext value={client}>
      <EngineProvider client={client}>{children}</EngineProvider>
    </OwnEngineContext>
  );
}

/** This computer's engine, also while one looks into another home. */
export function useOwnEngine(): EngineClient {
  const client = useContext(OwnEngineContext);
  if (client === null) throw new Error('OwnEngineProvider is missing');
  return client;
}

export function useEngine(): EngineClient {
  const client = useContext(EngineContext);
  if (client === null) throw new Error('EngineProvider is missing');
  return client;
}

export function useConnection(): ConnectionState {
  const client = useEngine();
  return useSyncExternalStore((changed) => client.onState(changed), () => client.state);
}

export function useEngineEvent<Name extends EventName>(name: Name, listener: (value: EngineEvents[Name]) => void): void {
  const client = useEngine();
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => client.on(name, (value) => latest.current(value)), [client, name]);
}

export interface QueryState<T> {
  readonly data: T | null;
  readonly error: PorchlightError | null;
  readonly loading: boolean;
  readonly refresh: () => void;
}

/** Asks when it appears, when `input` changes, after a reconnect and on `refresh`; keeps the last answer meanwhile. Null input asks nothing. */
export function useQuery<Name extends OperationName>(name: Name, input: InputOf<Name> | null): QueryState<OutputOf<Name>> {
  const client = useEngine();
  const key = input === null ? null : JSON.stringify(input);
  const [state, setState] = useState<{ data: OutputOf<Name> | null; error: PorchlightError | null; loading: boolean }>({ data: null, error: null, loading: true });
  const turn = useRef(0);
  const refresh = useCallback(() => {
    if (key === null) return;
    const mine = ++turn.current;
    client.ask(name, JSON.parse(key) as InputOf<Name>).then(
      (data) => {
        if (mine === turn.current) setState({ data, error: null, loading: false });
      },
      (error: unknown) => {
        if (mine === turn.current) setState((before) => ({ data: before.data, error: asError(error), loading: false }));
      },
    );
  }, [client, name, key]);
  useEffect(() => {
    refresh();
    return client.onState(({ phase }) => {
      if (phase === 'connected') refresh();
    });
  }, [client, refresh]);
  return { ...state, refresh };
}

export interface CommandState<Name extends OperationName> {
  /** Null when it failed; `error` says why. */
  readonly run: (input: InputOf<Name>) => Promise<OutputOf<Name> | null>;
  readonly busy: boolean;
  readonly error: PorchlightError | null;
  readonly clearError: () => void;
}

export function useCommand<Name extends OperationName>(name: Name): CommandState<Name> {
  const client = useEngine();
  const [state, setState] = useState<{ busy: boolean; error: PorchlightError | null }>({ busy: false, error: null });
  const run = useCallback(
    async (input: InputOf<Name>): Promise<OutputOf<Name> | null> => {
      setState({ busy: true, error: null });
      try {
        const answer = await client.ask(name, input);
        setState({ busy: false, error: null });
        return answer;
      } catch (error) {
        setState({ busy: false, error: asError(error) });
        return null;
      }
    },
    [client, name],
  );
  const clearError = useCallback(() => setState((before) => ({ ...before, error: null })), []);
  return { run, ...state, clearError };
}

export function asError(error: unknown): PorchlightError {
  return error instanceof PorchlightError ? error : new PorchlightError('internal', 'Something went wrong in this window. Reload it.', error);
}
