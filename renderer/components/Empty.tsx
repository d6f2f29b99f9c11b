import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

/** A place with nothing in it yet: says why, and what to do. */
export function Empty({ icon: Icon, title, children }: { readonly icon: LucideIcon; readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <div className="empty">
      <Icon size={40} strokeWidth={1.5} aria-hidden="true" />
      <h1>{title}</h1>
      {children}
    </div>
  );
}
