/** Starts the engine as a Node child with an IPC channel: serve mode, and tests that need a real process. */
import { fork } from 'node:child_process';
import type { EngineMessage } from '../../shared/contract/engine-process.ts';
import { ENGINE_ENV, ENGINE_FLAGS, type EngineProcess, type EngineStarter } from './engine-starter.ts';

/**
 * `entry` is engine-main.ts or its bundle. The child gets a process group of its own, so that Ctrl-C reaches the
 * supervisor alone and the engine ends in order; it notices a lost supervisor by the closed IPC channel. `env` is added
 * to this process's own environment.
 */
export function nodeStarter(entry: string, env: Readonly<Record<string, string>> = {}): EngineStarter {
  return {
    start(): EngineProcess {
      const child = fork(entry, [], {
        env: { ...process.env, ...ENGINE_ENV, ...env },
        execArgv: [...process.execArgv, ...ENGINE_FLAGS],
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        serialization: 'advanced',
        detached: process.platform !== 'win32',
      });
      const exited = new Promise<number | null>((resolve) => {
        child.once('exit', (code) => resolve(code));
        // A child that could not be started at all has no exit.
        child.once('error', () => resolve(child.exitCode ?? 1));
      });
      return {
        pid: child.pid,
        post: (message) => {
          if (child.connected) child.send(message, () => undefined);
        },
        onMessage: (listener) => void child.on('message', (message) => listener(message as EngineMessage)),
        onExit: (listener) => void exited.then((code) => listener({ code })),
        kill: () => void child.kill('SIGKILL'),
      };
    },
  };
}
