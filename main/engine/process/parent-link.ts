/** The engine's line to whoever started it: Electron's parent port or Node's IPC channel. */
import type { HostMessage, ParentLink } from '../../../shared/contract/engine-process.ts';

/** What Electron adds to `process` in a utility process (Electron documentation, parentPort). */
interface ParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { readonly data: unknown; readonly ports: readonly unknown[] }) => void): void;
}

/** The line of this process, or null when it was started by hand. */
export function findParentLink(): ParentLink | null {
  const parentPort = (process as { readonly parentPort?: ParentPort }).parentPort;
  if (parentPort !== undefined) {
    return {
      post: (message) => parentPort.postMessage(message),
      onMessage: (listener) => parentPort.on('message', (event) => listener(event.data as HostMessage, event.ports)),
      // Electron ends a utility process together with the app's main process.
      onGone: () => undefined,
    };
  }
  const send = process.send?.bind(process);
  if (send === undefined) return null;
  return {
    post: (message) => {
      if (process.connected) send(message);
    },
    onMessage: (listener) => void process.on('message', (message) => listener(message as HostMessage, [])),
    onGone: (listener) => void process.on('disconnect', listener),
  };
}
