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
 * UV_THREADPOOL_SIZE: libuv's pool is shared by every file operation of the engine's process; 4 by default, which eight
 * recorded streams with their syncs fill. Set at the spawn because the pool is made once.
 * MALLOC_*: glibc's allocator keeps an arena per thread, and the engine has twenty-six, and never returns what once was a
 * buffer of a few megabytes (mallopt(3)); systems without glibc ignore both.
 */
export const ENGINE_ENV: Readonly<Record<string, string>> = { UV_THREADPOOL_SIZE: '16', MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: String(128 * 1024) };

/**
 * V8's room for new objects, 2 MB instead of 16 in each half, which fills before it is first looked through: what the engine makes per
 * beat is small and dies at once, so the room is memory and nothing else. Threads have it from core/worker-rpc.ts where a starter knows no flags.
 */
export const ENGINE_FLAGS: readonly string[] = ['--max-semi-space-size=2'];
