/** Outcomes of operations that are expected to fail now and then, and the proof that a switch is complete. */

export type Result<T, E = Error> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function err<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}

/** Marks a branch the types rule out; throws if data from outside got there anyway. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}

/** The value, which the caller knows to be there; `why` is the reason it knows. */
export function forceUnwrap<T>(why: string, value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error(`missing value although ${why}`);
  return value;
}
