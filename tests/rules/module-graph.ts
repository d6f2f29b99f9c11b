/** Reads the imports of the project's own files, as Vite's parser sees them: static, type-only, dynamic and re-exports. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from 'vite';

export interface ImportEdge {
  /** Project-relative path of the importing file, `/` on every system. */
  readonly from: string;
  /** Project-relative path of the imported file, or `npm:name`, or `node:name`. */
  readonly to: string;
  /** Erased at run time. */
  readonly typeOnly: boolean;
}

const SOURCE = /\.(?:ts|tsx|mts|mjs)$/;
const SKIPPED = new Set(['node_modules', 'dist', 'out', '.git', 'test-results']);

/** All source files below the given folders, project-relative. */
export function listSources(root: string, folders: readonly string[]): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const relative = `${folder}/${entry.name}`;
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) walk(relative);
      else if (entry.isFile() && SOURCE.test(entry.name)) found.push(relative);
    }
  };
  for (const folder of folders) walk(folder);
  return found.sort();
}

/** The imports of one file. Throws where the file does not parse. */
export function importsOf(file: string, text: string): ImportEdge[] {
  const { module, errors } = parseSync(file, text);
  const first = errors[0];
  if (first !== undefined) throw new Error(`${file} does not parse: ${first.message}`);
  const edges: ImportEdge[] = [];
  const add = (specifier: string, typeOnly: boolean): void => {
    edges.push({ from: file, to: resolveSpecifier(file, specifier), typeOnly });
  };
  for (const entry of module.staticImports) {
    add(entry.moduleRequest.value, entry.entries.length > 0 && entry.entries.every((name) => name.isType));
  }
  for (const statement of module.staticExports) {
    for (const entry of statement.entries) {
      if (entry.moduleRequest) add(entry.moduleRequest.value, entry.isType);
    }
  }
  for (const entry of module.dynamicImports) {
    const specifier = /^['"`]([^'"`$]+)['"`]$/.exec(text.slice(entry.moduleRequest.start, entry.moduleRequest.end));
    if (specifier?.[1] !== undefined) add(specifier[1], false);
  }
  return edges;
}

export function readGraph(root: string, folders: readonly string[]): ImportEdge[] {
  return listSources(root, folders).flatMap((file) => importsOf(file, readFileSync(path.join(root, file), 'utf8')));
}

function resolveSpecifier(from: string, specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  if (specifier.startsWith('.')) return path.posix.normalize(path.posix.join(path.posix.dirname(from), specifier.replace(/[?#].*$/, '')));
  const parts = specifier.split('/');
  return `npm:${specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier)}`;
}
