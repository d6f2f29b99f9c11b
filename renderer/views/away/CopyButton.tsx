/** Copies a text, and says that it did. */
import { Check, Copy } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { Button } from '../../components/Button.tsx';

const SAID_MS = 2_500;

export function CopyButton({ text, children = 'Copy' }: { readonly text: string; readonly children?: string }): ReactNode {
  const [copied, setCopied] = useState<boolean | null>(null);
  useEffect(() => {
    if (copied === null) return undefined;
    const timer = window.setTimeout(() => setCopied(null), SAID_MS);
    return () => window.clearTimeout(timer);
  }, [copied]);
  return (
    <Button onClick={() => void copy(text).then(setCopied)}>
      {copied === true ? <Check size={16} aria-hidden="true" /> : <Copy size={16} aria-hidden="true" />}
      <span aria-live="polite">{copied === null ? children : copied ? 'Copied' : 'Select it and copy by hand'}</span>
    </Button>
  );
}

/** False where the page may not: a browser allows it over TLS or on this computer only. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
