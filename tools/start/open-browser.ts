/** Opens an address in the person's browser, where there is one; a failure is silent because the address is printed anyway. */
import { spawn } from 'node:child_process';

export function openBrowser(url: string, platform: NodeJS.Platform): void {
  const [command, args] = platform === 'darwin' ? ['open', [url]] : platform === 'win32' ? ['rundll32', ['url.dll,FileProtocolHandler', url]] : ['xdg-open', [url]];
  const child = spawn(command as string, args as string[], { stdio: 'ignore', detached: true });
  child.once('error', () => undefined);
  child.unref();
}
