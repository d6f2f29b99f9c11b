/** Runs an engine inside the test's own process, behind the same messages as a process of its own. */
import type { EngineMessage, HostMessage } from '../../shared/contract/engine-process.ts';
import type { ParentLink } from '../../shared/contract/engine-process.ts';
import type { EngineExit, EngineProcess, EngineStarter, HandedPort } from './engine-starter.ts';

/** `run` is what engine-main.ts runs; `exit` ends this life. */
export function inProcessStarter(run: (link: ParentLink, exit: (code: number) => void) => void): EngineStarter {
  return {
    start(): EngineProcess {
      const toEngine: ((message: HostMessage, ports: readonly HandedPort[]) => void)[] = [];
      const toHost: ((message: EngineMessage) => void)[] = [];
      const onGone: (() => void)[] = [];
      let settle: (exit: EngineExit) => void = () => undefined;
      const exited = new Promise<EngineExit>((resolve) => {
        settle = resolve;
      });
      queueMicrotask(() =>
        run(
          {
            post: (message) => queueMicrotask(() => toHost.forEach((listener) => listener(message))),
            onMessage: (listener) => void toEngine.push(listener),
            onGone: (listener) => void onGone.push(listener),
          },
          (code) => settle({ code }),
        ),
      );
      return {
        pid: undefined,
        post: (message, ports = []) => queueMicrotask(() => toEngine.forEach((listener) => listener(message, ports))),
        onMessage: (listener) => void toHost.push(listener),
        onExit: (listener) => void exited.then(listener),
        kill: () => onGone.forEach((listener) => listener()),
      };
    },
  };
}
