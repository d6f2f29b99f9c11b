/** A labelled input with a hint, and the error where it happened. */
import { CircleAlert } from 'lucide-react';
import { type InputHTMLAttributes, type ReactNode, useId } from 'react';

export interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  readonly label: string;
  readonly hint?: string;
  readonly error?: string | null;
}

export function Field({ label, hint, error = null, ...rest }: FieldProps): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input {...rest} id={id} className="input" aria-invalid={error !== null} aria-describedby={`${id}-about`} />
      <div id={`${id}-about`} aria-live="polite">
        {error !== null ? <ErrorLine>{error}</ErrorLine> : hint === undefined || hint === '' ? null : <span className="hint">{hint}</span>}
      </div>
    </div>
  );
}

/** One sentence about what went wrong, where it went wrong. */
export function ErrorLine({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <span className="error-line" role="alert">
      <CircleAlert size={16} aria-hidden="true" />
      <span>{children}</span>
    </span>
  );
}
