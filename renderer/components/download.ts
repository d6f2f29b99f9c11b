/** Hands bytes to the person as a file: the browser's download, the app's dialog (main/shell/security.ts says which names the app lets through). */
import { MINUTE_MS } from '../../shared/time.ts';

export function download(fileName: string, bytes: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), MINUTE_MS);
}
