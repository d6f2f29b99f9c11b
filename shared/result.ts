/** What the types cannot say: that a switch is complete, and that a value is there. */

/** Marks a branch the types rule out; throws if data from outside got there anyway. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}

/** The value, which the caller knows to be there; `why` is the reason it knows. */
export function forceUnwrap<T>(why: string, value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error(`missing value although ${why}`);
  return value;
}
