/** Owns what a disk is told, as the replay knows it: operations on files and folders by inode, in the order in which they were asked for. */

/** 0 is the watched folder itself; never used again once given. */
export type Inode = number;
export const WATCHED: Inode = 0;

interface Step {
  /** Place in the trace at which the call began. */
  readonly enter: number;
  /** Place in the trace at which it was over: only what was over when a sync began is made durable by it. */
  readonly exit: number;
  /** Wall clock, milliseconds since 1970. */
  readonly timeMs: number;
}

export type DiskOperation = Step &
  (
    | { readonly kind: 'write'; readonly inode: Inode; readonly at: number; readonly bytes: Buffer }
    | { readonly kind: 'resize'; readonly inode: Inode; readonly sizeBytes: number }
    /** A new file or folder; it has no name yet. */
    | { readonly kind: 'create'; readonly inode: Inode; readonly type: 'file' | 'folder' }
    /** A name in a folder now means this inode, or nothing. */
    | { readonly kind: 'name'; readonly folder: Inode; readonly name: string; readonly inode: Inode | null }
    /** Takes effect at `exit`, for what was over by `enter`. */
    | { readonly kind: 'sync'; readonly inode: Inode; readonly call: 'fsync' | 'fdatasync'; readonly path: string }
    /** A line the traced program printed about itself. */
    | { readonly kind: 'said'; readonly text: string }
  );

export type SyncOperation = Extract<DiskOperation, { readonly kind: 'sync' }>;

/** Where an operation takes effect in the order of all: a sync when it is over, everything else when it begins. */
export function effectAt(operation: DiskOperation): number {
  return operation.kind === 'sync' || operation.kind === 'said' ? operation.exit : operation.enter;
}
