/**
 * Installs what a fresh clone lacks, before `npm start` and `npm test`: packages, and on Debian as root the programs
 * Porchlight uses. Plain Node 20 without packages, because nothing is installed yet when it runs.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const HASH_FILE = path.join(ROOT, 'node_modules', '.setup-hash');
const NODE_MAJOR = 24;
const FFMPEG_MAJOR = 5;
const INSTALL_LIMIT_MS = 15 * 60_000;

/** Wanted by every test run; the tests that use a missing optional one are skipped by name. */
const TEST_PACKAGES = [
  { name: 'xvfb', program: 'Xvfb' },
  { name: 'onvif-tools', program: null },
  { name: 'iproute2', program: 'ip' },
  { name: 'strace', program: 'strace' },
  { name: 'libfaketime', program: null },
  { name: 'xfsprogs', program: 'mkfs.xfs' },
  { name: 'haproxy', program: 'haproxy' },
  { name: 'python3-gi', program: null },
  { name: 'gir1.2-gst-rtsp-server-1.0', program: null },
  { name: 'gstreamer1.0-plugins-base', program: null },
  { name: 'gstreamer1.0-plugins-good', program: null },
  { name: 'gstreamer1.0-plugins-bad', program: null },
  { name: 'gstreamer1.0-plugins-ugly', program: null },
  { name: 'gstreamer1.0-libav', program: null },
];

function say(sentence) {
  process.stdout.write(`${sentence}\n`);
}

/** Ends the set-up with one sentence and, for those who look, the end of what the tool said. */
function fail(sentence, output = '') {
  process.stderr.write(`${sentence}\n`);
  const tail = output.trim().split('\n').slice(-8).join('\n');
  if (tail !== '') process.stderr.write(`${tail}\n`);
  process.exit(1);
}

/** Runs a program quietly, once more when it fails (mirrors and registries have bad moments). */
function runTwice(command, args, extra = {}) {
  let output = '';
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const done = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', timeout: INSTALL_LIMIT_MS, maxBuffer: 64 * 1024 * 1024, ...extra });
    output = `${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}`;
    if (done.status === 0) return { ok: true, output };
  }
  return { ok: false, output };
}

/** The first line a program prints, or null when it cannot be run. */
function firstLine(command, args) {
  const done = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 });
  return done.status === 0 ? (done.stdout.split('\n')[0] ?? '') : null;
}

function onPath(program) {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  return (process.env.PATH ?? '').split(path.delimiter).some((folder) => endings.some((ending) => isExecutable(path.join(folder, program + ending))));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The npm that runs this, or the one on the PATH. */
function npm(args) {
  const running = process.env.npm_execpath;
  return running === undefined ? runTwice('npm', args, { shell: process.platform === 'win32' }) : runTwice(process.execPath, [running, ...args]);
}

function installPackages() {
  const lockfile = readFileSync(path.join(ROOT, 'package-lock.json'));
  const wanted = createHash('sha256').update(lockfile).update(`${process.platform}-${process.arch}`).digest('hex');
  const present = existsSync(HASH_FILE) ? readFileSync(HASH_FILE, 'utf8') : '';
  if (present === wanted) return;
  say('Installing packages…');
  // Scripts of packages stay off: from a lockfile, npm would compile better-sqlite3 (it sees a binding.gyp and not the
  // package's `gypfile: false`), which needs Python and a compiler, though the binaries are in the package. Only `node`
  // has a script that is needed: it brings the Node that everything after this runs on.
  for (const args of [['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], ['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error']]) {
    const done = npm(args);
    if (!done.ok) fail('The packages could not be installed. Check the connection to the internet and run the command again.', done.output);
  }
  writeFileSync(HASH_FILE, wanted);
}

/** Every npm script runs on the Node that comes as a package; better-sqlite3 crashes on older ones. */
function checkNode() {
  const binary = path.join(ROOT, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  const done = spawnSync(binary, ['-v'], { encoding: 'utf8', shell: process.platform === 'win32', timeout: 20_000 });
  const version = done.status === 0 ? done.stdout.trim() : '';
  if (version.startsWith(`v${NODE_MAJOR}.`)) return;
  fail(`Node ${NODE_MAJOR} is missing from node_modules, probably because npm is set to ignore install scripts. Run: npm rebuild node --ignore-scripts=false`);
}

const canApt = process.platform === 'linux' && existsSync('/etc/debian_version') && process.getuid?.() === 0;
let listsFresh = false;

/** Installs Debian packages without their noise; false when that did not work. */
function apt(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  if (!listsFresh) runTwice('apt-get', ['update', '-qq'], { env });
  listsFresh = true;
  return runTwice('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
}

function howToGetFfmpeg() {
  if (process.platform === 'darwin') return 'brew install ffmpeg';
  if (process.platform === 'win32') return 'winget install Gyan.FFmpeg';
  return existsSync('/etc/debian_version') ? 'sudo apt install ffmpeg' : 'install the package "ffmpeg" of your system';
}

function isNewEnough(line) {
  const version = /^ffmpeg version n?(\d+)/.exec(line ?? '');
  // Builds from git carry no number and are new.
  return line !== null && (version === null || Number(version[1]) >= FFMPEG_MAJOR);
}

/** Porchlight starts without ffmpeg and says so itself; here it is a hint, not an end. */
function installFfmpeg() {
  if (isNewEnough(firstLine('ffmpeg', ['-version']))) return;
  if (canApt) {
    say('Installing ffmpeg…');
    const done = apt(['ffmpeg']);
    if (done.ok && isNewEnough(firstLine('ffmpeg', ['-version']))) return;
  }
  say(`ffmpeg ${FFMPEG_MAJOR} or newer is needed for recording and was not found. Get it with: ${howToGetFfmpeg()}`);
}

function installForTests() {
  const hasChromium = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].some(onPath);
  if (!hasChromium && canApt) {
    say('Installing Chromium for the tests…');
    const done = apt(['chromium']);
    if (!done.ok) fail('Chromium could not be installed. Check the connection to the internet and run the command again.', done.output);
  } else if (!hasChromium) {
    say('Installing Chromium for the tests…');
    const cli = path.join(ROOT, 'node_modules', '@playwright', 'test', 'cli.js');
    const node = path.join(ROOT, 'node_modules', '.bin', 'node');
    const done = runTwice(node, [cli, 'install', 'chromium'], { shell: process.platform === 'win32' });
    if (!done.ok) say('Chromium could not be installed; the tests in a browser will be skipped. Get it with: npx playwright install chromium');
  }
  installOptional();
}

function installOptional() {
  if (!canApt) return;
  const missing = TEST_PACKAGES.filter(({ name, program }) => (program === null ? !isInstalled(name) : !onPath(program))).map(({ name }) => name);
  if (missing.length === 0) return;
  say('Installing programs for the tests…');
  if (apt(missing).ok) return;
  // One unknown name makes apt refuse all of them.
  const refused = missing.filter((name) => !apt([name]).ok);
  if (refused.length > 0) say(`Not installed: ${refused.join(', ')}. The tests that use them will be skipped.`);
}

function isInstalled(name) {
  const done = spawnSync('dpkg-query', ['-W', '-f=${Status}', name], { encoding: 'utf8' });
  return done.status === 0 && done.stdout.includes('install ok installed');
}

installPackages();
checkNode();
// A relay and its drill carry bytes and know no pictures.
if (!['prerelay', 'predrill'].includes(process.env.npm_lifecycle_event ?? '')) installFfmpeg();
if (process.env.npm_lifecycle_event === 'pretest' || process.argv.includes('--tests')) installForTests();
