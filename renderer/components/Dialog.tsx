/** A dialog with a title, closed by its cross, Escape or a click beside it. */
import { Dialog as RadixDialog } from 'radix-ui';
import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { IconButton } from './Button.tsx';

export interface DialogProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly title: string;
  readonly description?: string;
  readonly wide?: boolean;
  /** A press beside it does not close it: what it holds would be lost. */
  readonly stays?: boolean;
  readonly children: ReactNode;
}

/** Focus goes to the dialog, not to its cross: nobody opens a dialog to close it. */
function focusItself(event: Event): void {
  event.preventDefault();
  if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus();
}

export function Dialog({ open, onOpenChange, title, description, wide = false, stays = false, children }: DialogProps): ReactNode {
  return (
    <RadixDialog.Root open={open} onOpenChange={onOpenChange}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className="overlay" />
        <RadixDialog.Content className={`dialog ${wide ? 'wide' : ''}`} onOpenAutoFocus={focusItself} onInteractOutside={(event) => stays && event.preventDefault()} {...(description === undefined ? { 'aria-describedby': undefined } : {})}>
          <header>
            <div>
              <RadixDialog.Title asChild>
                <h1>{title}</h1>
              </RadixDialog.Title>
              {description === undefined ? null : <RadixDialog.Description className="muted">{description}</RadixDialog.Description>}
            </div>
            <RadixDialog.Close asChild>
              <IconButton label="Close" shortcut="Esc">
                <X size={18} />
              </IconButton>
            </RadixDialog.Close>
          </header>
          {children}
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}
