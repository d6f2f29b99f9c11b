/** The names of the messages between the preload script and the shell; nothing else is listened to. */
export const SHELL_CHANNELS = {
  /** Page to shell: one request of ShellApi. */
  request: 'porchlight:request',
  /** Page to shell: a new line to the engine, please. */
  connect: 'porchlight:connect',
  /** Shell to page: here is its port. */
  port: 'porchlight:port',
  /** Shell to page: the window is out of sight. */
  hidden: 'porchlight:hidden',
} as const;

/** The page's own scheme and host; files of the build only, nothing listens on a port. */
export const PAGE_SCHEME = 'porchlight';
export const PAGE_ORIGIN = `${PAGE_SCHEME}://app`;
