/** Starts the engine as a utility process: plain Node beside the shell, with ports handed straight to the window. */
import { type MessagePortMain, utilityProcess } from 'electron';
import type { EngineMessage } from '../../shared/contract/engine-process.ts';
import { ENGINE_ENV, type EngineProcess, type EngineStarter } from '../host/engine-starter.ts';

/** `entry` is the bundled engine-main.js. */
export function electronStarter(entry: string): EngineStarter {
  return {
    start(): EngineProcess {
      const child = utilityProcess.fork(entry, [], { env: { ...process.env, ...ENGINE_ENV }, serviceName: 'Porchlight recorder', stdio: 'inherit' });
      const exited = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code)));
      return {
        get pid() {
          return child.pid;
        },
        post: (message, ports = []) => child.postMessage(message, ports as MessagePortMain[]),
        onMessage: (listener) => void child.on('message', (message: unknown) => listener(message as EngineMessage)),
        onExit: (listener) => void exited.then((code) => listener({ code })),
        kill: () => {
          // UtilityProcess.kill asks (SIGTERM); a process that does not answer has to be ended.
          if (child.pid === undefined || process.platform === 'win32') child.kill();
          else process.kill(child.pid, 'SIGKILL');
        },
      };
    },
  };
}
