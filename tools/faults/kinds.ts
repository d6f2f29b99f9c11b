/** Owns the list of all kinds of faults. */
import type { FaultKind } from './fault-kind.ts';
import { CAMERA_KINDS } from './kinds/cameras.ts';
import { CLOCK_KINDS } from './kinds/clock.ts';
import { DISK_KINDS } from './kinds/disk.ts';
import { KILL_KINDS } from './kinds/kill.ts';

export const KINDS: readonly FaultKind[] = [...KILL_KINDS, ...DISK_KINDS, ...CAMERA_KINDS, ...CLOCK_KINDS];
