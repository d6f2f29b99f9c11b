/** Dark, light, or as the system has it. */
import type { Settings } from '../../shared/model/settings.ts';

const LIGHT = '(prefers-color-scheme: light)';

/** Sets the page's theme and follows the system while it is `system`; returns how to stop following. */
export function applyTheme(theme: Settings['theme']): () => void {
  const query = window.matchMedia(LIGHT);
  const set = (): void => {
    document.documentElement.dataset['theme'] = theme === 'system' ? (query.matches ? 'light' : 'dark') : theme;
  };
  set();
  query.addEventListener('change', set);
  return () => query.removeEventListener('change', set);
}
