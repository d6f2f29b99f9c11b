/** Tells when this page goes out of sight. */
import { HIDDEN_MESSAGE } from '../../shared/contract/shell-api.ts';

/** Returns how to stop listening. In the app's window the shell says it: with its throttling off, a page counts as visible even when it is minimised. */
export function onPageHidden(tell: () => void): () => void {
  const onVisibility = (): void => {
    if (document.visibilityState === 'hidden') tell();
  };
  const onMessage = ({ source, data }: MessageEvent): void => {
    if (source === window && data === HIDDEN_MESSAGE) tell();
  };
  document.addEventListener('visibilitychange', onVisibility);
  window.addEventListener('message', onMessage);
  return () => {
    document.removeEventListener('visibilitychange', onVisibility);
    window.removeEventListener('message', onMessage);
  };
}
