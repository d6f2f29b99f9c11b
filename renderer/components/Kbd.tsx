import type { ReactNode } from 'react';

/** A key, drawn as a key. */
export function Kbd({ children }: { readonly children: ReactNode }): ReactNode {
  return <kbd className="kbd">{children}</kbd>;
}
