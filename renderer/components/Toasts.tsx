/** Short notices with an undo, instead of questions beforehand. */
import { Toast } from 'radix-ui';
import { createContext, type ReactNode, useCallback, useContext, useState } from 'react';
import { Button } from './Button.tsx';

interface Notice {
  readonly id: number;
  readonly text: string;
  readonly undo: (() => void) | null;
}

const ToastContext = createContext<(text: string, undo?: () => void) => void>(() => undefined);
/** Long enough to read and to change one's mind. */
const SHOWN_MS = 8_000;

export function ToastProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  const show = useCallback((text: string, undo?: () => void) => {
    setNotices((before) => [...before.slice(-2), { id: (before.at(-1)?.id ?? 0) + 1, text, undo: undo ?? null }]);
  }, []);
  const drop = (id: number): void => setNotices((before) => before.filter((notice) => notice.id !== id));
  return (
    <ToastContext value={show}>
      <Toast.Provider duration={SHOWN_MS} swipeDirection="down">
        {children}
        {notices.map(({ id, text, undo }) => (
          <Toast.Root key={id} className="toast" onOpenChange={(open) => !open && drop(id)}>
            <Toast.Description>{text}</Toast.Description>
            {undo === null ? null : (
              <Toast.Action altText="Undo" asChild>
                <Button tone="quiet" onClick={undo}>
                  Undo
                </Button>
              </Toast.Action>
            )}
          </Toast.Root>
        ))}
        <Toast.Viewport className="toasts" />
      </Toast.Provider>
    </ToastContext>
  );
}

/** Shows a notice; `undo` adds the button. */
export function useToast(): (text: string, undo?: () => void) => void {
  return useContext(ToastContext);
}
