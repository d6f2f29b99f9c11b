/** The computer's sleep: told to the engine before and after, and held off while the owner wants it. */
import { powerMonitor, powerSaveBlocker } from 'electron';

/** Tells of suspend and resume; returns a function that stops listening. */
export function watchPower(tell: (change: 'suspend' | 'resume') => void): () => void {
  const onSuspend = (): void => tell('suspend');
  const onResume = (): void => tell('resume');
  powerMonitor.on('suspend', onSuspend);
  powerMonitor.on('resume', onResume);
  return () => {
    powerMonitor.off('suspend', onSuspend);
    powerMonitor.off('resume', onResume);
  };
}

/** Tells that the system shuts down or the person logs out; Linux and macOS wait for the app to end itself. */
export function watchShutdown(tell: () => void): void {
  powerMonitor.on('shutdown', tell);
}

export interface AwakeKeeper {
  /** The screen may go dark; the computer does not sleep by itself. */
  keepAwake(wanted: boolean): void;
}

export function createAwakeKeeper(): AwakeKeeper {
  let blocker: number | null = null;
  return {
    keepAwake(wanted) {
      if (wanted && blocker === null) blocker = powerSaveBlocker.start('prevent-app-suspension');
      else if (!wanted && blocker !== null) {
        powerSaveBlocker.stop(blocker);
        blocker = null;
      }
    },
  };
}
