/** Who may import whom: DESIGN's table as data, one sentence of reason per rule (CONTRIBUTING.md). */
import type { ImportEdge } from './module-graph.ts';

export interface ImportRule {
  readonly name: string;
  readonly reason: string;
  /** Whether a single edge breaks the rule. */
  readonly forbids: (edge: ImportEdge) => boolean;
}

const TEST_CODE = /\.test\.tsx?$|\/testing\/|^tests\/|^tools\//;
const COMPOSITION = /^main\/engine\/(?:engine\.ts|engine-main\.ts|rpc\/|serve\/)/;
const ENGINE_BASE = new Set(['core', 'ports', 'ffmpeg', 'storage']);
/** Packages a page may hold: nothing that needs Node. */
const WEB_PACKAGES = new Set(['qr', '@scure/bip39', 'react', 'react-dom', 'radix-ui', 'lucide-react', '@fontsource-variable/inter']);

const isTestCode = (file: string): boolean => TEST_CODE.test(file);
const isPackage = (target: string): boolean => target.startsWith('npm:');
const isOwn = (target: string): boolean => !isPackage(target) && !target.startsWith('node:');
const within = (target: string, ...places: readonly string[]): boolean => places.some((place) => target === place || target.startsWith(place));

/** The room of an engine file: `recorder` of main/engine/recorder/session.ts; null outside and for files directly in main/engine. */
function engineRoom(file: string): string | null {
  return /^main\/engine\/([^/]+)\//.exec(file)?.[1] ?? null;
}

function isFeature(file: string): boolean {
  const room = engineRoom(file);
  return room !== null && !ENGINE_BASE.has(room) && !COMPOSITION.test(file);
}

/** A package or built-in that only the named places may import. */
function door(target: string, places: readonly string[], reason: string): ImportRule {
  return { name: `door ${target}`, reason, forbids: (edge) => edge.to === target && !within(edge.from, ...places) };
}

const shipped = (rule: ImportRule): ImportRule => ({ ...rule, forbids: (edge) => !isTestCode(edge.from) && rule.forbids(edge) });

const RULES: readonly ImportRule[] = [
  {
    name: 'shared is pure',
    reason: 'shared/ runs in every process and page, so it may know nothing but itself (zod in shared/contract).',
    forbids: (edge) => within(edge.from, 'shared/') && !within(edge.to, 'shared/') && !(within(edge.from, 'shared/contract/') && edge.to === 'npm:zod'),
  },
  {
    name: 'zod stays in the contract',
    reason: 'Inputs are parsed where they cross the contract, and nowhere else.',
    forbids: (edge) => edge.to === 'npm:zod' && !within(edge.from, 'shared/contract/'),
  },
  {
    name: 'core knows no video',
    reason: 'engine/core is time, retry, logging and threads; whatever knows cameras belongs above it.',
    forbids: (edge) => within(edge.from, 'main/engine/core/') && isOwn(edge.to) && !within(edge.to, 'main/engine/core/', 'shared/'),
  },
  {
    name: 'ports are types',
    reason: 'engine/ports says what modules hand each other; code there would be a module of its own.',
    forbids: (edge) => within(edge.from, 'main/engine/ports/') && (!edge.typeOnly || (isOwn(edge.to) && !within(edge.to, 'main/engine/ports/', 'shared/'))),
  },
  {
    name: 'ffmpeg and storage stand side by side',
    reason: 'The two foundations know core, ports and shared, not each other and nothing above.',
    forbids: (edge) => {
      const room = engineRoom(edge.from);
      if (room !== 'ffmpeg' && room !== 'storage') return false;
      return isOwn(edge.to) && !within(edge.to, `main/engine/${room}/`, 'main/engine/core/', 'main/engine/ports/', 'shared/');
    },
  },
  {
    name: 'features do not know each other',
    reason: 'Data flows one way; what two features share is handed in by engine.ts or is a type in ports.',
    forbids: (edge) => {
      if (!isFeature(edge.from) || !isOwn(edge.to)) return false;
      const base = [...ENGINE_BASE].map((room) => `main/engine/${room}/`);
      return !within(edge.to, `main/engine/${engineRoom(edge.from)}/`, ...base, 'shared/');
    },
  },
  {
    name: 'readers do not write',
    reason: 'playback and relay look at footage; nothing they do may change it.',
    forbids: (edge) => ['playback', 'relay'].includes(engineRoom(edge.from) ?? '') && /\.write\.ts$/.test(edge.to),
  },
  {
    name: 'composition is the top',
    reason: 'engine.ts, engine-main.ts, rpc and serve put the engine together; nothing below may lean on them.',
    forbids: (edge) => COMPOSITION.test(edge.to) && !COMPOSITION.test(edge.from),
  },
  {
    name: 'host supervises from outside',
    reason: 'The supervisor must live when the engine dies and run without Electron.',
    forbids: (edge) => within(edge.from, 'main/host/') && (edge.to === 'npm:electron' || (isOwn(edge.to) && !within(edge.to, 'main/host/', 'main/engine/core/', 'shared/'))),
  },
  {
    name: 'shell never holds the engine',
    reason: 'The Electron process only starts and supervises; media and footage never pass through it.',
    forbids: (edge) => within(edge.from, 'main/shell/', 'main/main.ts') && isOwn(edge.to) && !within(edge.to, 'main/shell/', 'main/host/', 'shared/'),
  },
  {
    name: 'preload is a thin door',
    reason: 'Preload runs beside the page with more rights than it; it may hold the contract and nothing else.',
    forbids: (edge) => edge.from === 'main/preload.ts' && edge.to !== 'npm:electron' && !within(edge.to, 'shared/contract/'),
  },
  {
    name: 'the page is a page',
    reason: 'The renderer also runs in browsers: no Node, no Electron, no engine.',
    forbids: (edge) =>
      within(edge.from, 'renderer/') &&
      (edge.to.startsWith('node:') || (isPackage(edge.to) && !WEB_PACKAGES.has(edge.to.slice(4))) || (isOwn(edge.to) && !within(edge.to, 'renderer/', 'shared/'))),
  },
  {
    name: 'no view knows another',
    reason: 'Views meet through routes and state, so that each can be read and changed alone.',
    forbids: (edge) => {
      const room = /^renderer\/views\/([^/]+)\//;
      const [from, to] = [room.exec(edge.from)?.[1], room.exec(edge.to)?.[1]];
      return from !== undefined && to !== undefined && from !== to;
    },
  },
  door('npm:better-sqlite3', ['main/engine/storage/'], 'Only engine/storage opens SQLite.'),
  door('npm:fluent-ffmpeg', ['main/engine/ffmpeg/'], 'The archived package stays behind one folder.'),
  door('npm:onvif', ['main/engine/cameras/onvif-device.ts'], 'One adapter file, so that the package can be replaced.'),
  door('npm:electron', ['main/shell/', 'main/main.ts', 'main/preload.ts'], 'Everything but the shell runs under plain Node.'),
  door('npm:ws', ['main/engine/rpc/', 'main/engine/serve/', 'main/engine/relay/', 'relay/'], 'WebSockets are a transport; only transports know them.'),
  door('node:child_process', ['main/engine/ffmpeg/process.ts', 'main/engine/ffmpeg/output-pipe.ts', 'main/host/node-starter.ts'], 'Children are started where they are also reaped.'),
  {
    name: 'nobody imports the relay',
    reason: 'The relay server is its own program and shares words (shared/relay), not code.',
    forbids: (edge) => within(edge.to, 'relay/') && !within(edge.from, 'relay/'),
  },
  {
    name: 'the relay is small',
    reason: 'Whoever runs a relay can read all of it: Node, ws, and the words it shares with its clients.',
    forbids: (edge) => within(edge.from, 'relay/') && !edge.to.startsWith('node:') && edge.to !== 'npm:ws' && !within(edge.to, 'relay/', 'shared/relay/', 'shared/errors.ts', 'shared/result.ts'),
  },
  {
    name: 'no test code in the program',
    reason: 'What ships may not lean on tests or tools.',
    forbids: (edge) => isTestCode(edge.to),
  },
];

export const IMPORT_RULES: readonly ImportRule[] = RULES.map(shipped);

export interface Violation {
  readonly rule: string;
  readonly reason: string;
  readonly where: string;
}

/** Every edge that breaks a rule. */
export function violationsOf(edges: readonly ImportEdge[], rules: readonly ImportRule[] = IMPORT_RULES): Violation[] {
  return edges.flatMap((edge) =>
    rules.filter((rule) => rule.forbids(edge)).map((rule) => ({ rule: rule.name, reason: rule.reason, where: `${edge.from} -> ${edge.to}` })),
  );
}

/** Cycles of imports that exist at run time, each as the path that closes it. */
export function cyclesOf(edges: readonly ImportEdge[]): string[] {
  const next = Map.groupBy(edges.filter((edge) => !edge.typeOnly && isOwn(edge.to)), (edge) => edge.from);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file);
    if (at >= 0) found.push([...trail.slice(at), file].join(' -> '));
    if (at >= 0 || done.has(file)) return;
    for (const edge of next.get(file) ?? []) visit(edge.to, [...trail, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return found;
}

/** The shortest run-time path from a file that `starts` to a target that `forbidden` names, or null. */
export function reachOf(edges: readonly ImportEdge[], starts: (file: string) => boolean, forbidden: (target: string) => boolean): string | null {
  const next = Map.groupBy(edges.filter((edge) => !edge.typeOnly), (edge) => edge.from);
  const cameFrom = new Map<string, string | null>([...next.keys()].filter(starts).map((file) => [file, null]));
  for (const file of cameFrom.keys()) {
    for (const { to } of next.get(file) ?? []) {
      if (cameFrom.has(to)) continue;
      cameFrom.set(to, file);
      if (!forbidden(to)) continue;
      const trail: string[] = [];
      for (let at: string | null | undefined = to; at !== null && at !== undefined; at = cameFrom.get(at)) trail.unshift(at);
      return trail.join(' -> ');
    }
  }
  return null;
}
