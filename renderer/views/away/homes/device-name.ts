/** What this computer is called at the home it wants to look into, unless its owner says otherwise. Pure. */
import { DEFAULT_SETTINGS } from '../../../../shared/model/settings.ts';

const COMPUTERS: Readonly<Record<string, string>> = { darwin: 'Mac', win32: 'Windows computer', linux: 'Linux computer' };

/** "Mac", or "Mac of Lakeside" where this home has a name of its own. `platform`: as AppInfo has it. */
export function deviceNameFor(platform: string, homeName: string): string {
  const computer = COMPUTERS[platform] ?? 'Computer';
  return homeName.trim() === '' || homeName === DEFAULT_SETTINGS.homeName ? computer : `${computer} of ${homeName}`.slice(0, 60);
}
