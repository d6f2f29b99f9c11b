/** How an engine is started is an argument of its supervisor: a utility process, a Node child, or in-process in tests (DESIGN.md section 2). */
import type { EngineMessage, HostMessage } from '../../shared/contract/engine-process.ts';

export interface EngineExit {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
}

/** A port that is handed to the engine; what it is depends on the starter. */
export type HandedPort = unknown;

/** One life of an engine's process. */
export interface EngineProcess {
  readonly pid: number | undefined;
  /** Never throws; a message to a process that is gone is lost, and its exit is told. */
  post(message: HostMessage, ports?: readonly HandedPort[]): void;
  onMessage(listener: (message: EngineMessage) => void): void;
  onExit(listener: (exit: EngineExit) => void): void;
  /** Ends it at once, without asking. */
  kill(): void;
}

export interface EngineStarter {
  start(): EngineProcess;
}

/**
 * libuv's pool is shared by every file operation of the engine's process; 4 by default, which eight recorded streams
 * with their syncs fill. Set at the spawn because the pool is made once.
 */
export const ENGINE_ENV: Readonly<Record<string, string>> = { UV_THREADPOOL_SIZE: '16' };
