/** The interface's built files, listed once at start: what is not in the list does not exist, so no path can leave the folder. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { contentTypeOf } from '../../../shared/contract/page-policy.ts';

export interface StaticFile {
  readonly contentType: string;
  /** Vite names assets after their content, so those never change. */
  readonly immutable: boolean;
  read(): Promise<Buffer>;
}

export interface StaticFiles {
  /** The file for a request path (`/`, `/assets/index-1a2b.js`), or null. */
  find(urlPath: string): Promise<StaticFile | null>;
}

/** Serves `folder`; the list is made again when a file is asked for that was not there, so that a new build is seen. */
export function openStaticFiles(folder: string): StaticFiles {
  let listed: ReadonlyMap<string, string> | null = null;
  const list = async (): Promise<ReadonlyMap<string, string>> => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
    return new Map(files.map((file) => [`/${path.relative(folder, file).split(path.sep).join('/')}`, file]));
  };
  return {
    async find(urlPath) {
      const wanted = urlPath === '/' ? '/index.html' : urlPath;
      if (listed?.get(wanted) === undefined) listed = await list();
      const file = listed.get(wanted);
      const contentType = file === undefined ? null : contentTypeOf(file);
      if (file === undefined || contentType === null) return null;
      return { contentType, immutable: wanted.startsWith('/assets/'), read: () => readFile(file) };
    },
  };
}
