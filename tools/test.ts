/** `npm test`: types, lint, unit and integration tests, build, browser tests; lists what was skipped and why; the last line is the sum. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterSecondTry, failedFiles, readResult, type Skipped, type StepResult } from './test/step-result.ts';

/** What a step came to; `flaky` are the tests that passed at one of their two tries. */
interface StepSum {
  readonly passed: number;
  /** By name: the end of a long output says what to look for in it. */
  readonly failed: readonly string[];
  readonly skipped: readonly Skipped[];
  readonly flaky: readonly string[];
}

const ROOT = path.resolve(import.meta.dirname, '..');
const reports = mkdtempSync(path.join(tmpdir(), 'porchlight-test-'));

/** Resolves with the exit code. `say` gets the output whole when it is over; without it, it goes to the terminal as it comes. */
function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}, say?: (text: string) => void): Promise<number> {
  return new Promise((resolve) => {
    const output = say === undefined ? 'inherit' : 'pipe';
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', output, output], env: { ...process.env, ...env }, shell: process.platform === 'win32' });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => (text += String(bytes)));
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on('close', (code) => {
      say?.(text);
      resolve(code ?? 1);
    });
  });
}

/** A step that only succeeds or fails counts as one. What it prints is held back until it is over: others run beside it. */
async function single(title: string, command: string, args: readonly string[]): Promise<StepSum> {
  const code = await run(command, args, {}, (text) => console.log(`\n== ${title}\n${text.trimEnd()}`));
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? [] : [[command, ...args].join(' ')], skipped: [], flaky: [] };
}

/** Engines and simulators are started hundreds of times: what one compiled, types taken out, serves the next (module.enableCompileCache). */
const compileCache = { NODE_COMPILE_CACHE: path.join(reports, 'compiled') };
/** What the build before the tests made: tests/support/engine-entry.ts. */
const builtEngine = { PORCHLIGHT_TEST_ENGINE: 'dist/main/engine-main.js' };

/**
 * A step whose reporter (tools/test/*-reporter.ts) writes a StepResult; a run that ends badly without a failed test counts one failure.
 * `again`: files that hold a failure are run once more in CI, alone: they meet real processes, cameras, disks and clocks on a machine that others may share. What needed it is named.
 */
async function reported(name: string, command: string, args: readonly string[], again: readonly string[]): Promise<StepSum> {
  const once = async (title: string, more: readonly string[]) => {
    const file = path.join(reports, `${title}.json`);
    const code = await run(command, [...args, ...more], { ...compileCache, ...builtEngine, PORCHLIGHT_TEST_REPORT: file });
    return { code, result: readResult(file) };
  };
  const first = await once(name, []);
  if (first.result === null) return { passed: 0, failed: [`${name}: no result was written`], skipped: [], flaky: [] };
  const bad = failedFiles(first.result);
  if (bad.length === 0) return sumOf(first.result, first.code === 0 ? [] : [`${name}: ended with code ${first.code}`]);
  if (process.env['CI'] === undefined) return sumOf(first.result);
  console.log(`\n== ${name}: second try of ${bad.join(', ')}`);
  const { results, flaky } = afterSecondTry(first.result, (await once(`${name}-again`, [...again, ...bad])).result);
  return sumOf(results, [], flaky);
}

function sumOf(results: StepResult, more: readonly string[] = [], flaky: readonly string[] = []): StepSum {
  const files = Object.values(results);
  return { passed: files.reduce((sum, { passed }) => sum + passed, 0), failed: [...files.flatMap(({ failed }) => failed), ...more], skipped: files.flatMap(({ skipped }) => skipped), flaky };
}

type Step = readonly [title: string, step: () => Promise<StepSum>];

/** Each keeps one core busy at most; beside each other they take half the time. */
const FIRST: readonly Step[] = [
  ['Types', () => single('Types', 'tsc', ['-b'])],
  ['Lint', () => single('Lint', 'oxlint', ['main', 'renderer', 'shared', 'relay', 'tests', 'tools'])],
  ['Build', () => single('Build', 'npm', ['run', '--silent', 'build'])],
];
const inBrowser = ['test', '--reporter=list,./tools/test/playwright-reporter.ts'];
const STEPS: readonly Step[] = [
  ['Unit tests', () => reported('unit', 'vitest', ['run', '--project', 'unit', '--reporter=dot', '--reporter=./tools/test/vitest-reporter.ts'], ['--maxWorkers=1'])],
  ['Integration tests', () => reported('integration', 'vitest', ['run', '--project', 'integration', '--reporter=default', '--reporter=./tools/test/vitest-reporter.ts'], ['--maxWorkers=1'])],
  ['Browser tests', () => reported('browser', 'playwright', [...inBrowser, '--project=recorder', '--project=browser', '--project=electron', '--workers=2'], ['--workers=1'])],
  ['Browser tests, alone', () => reported('alone', 'playwright', [...inBrowser, '--project=alone'], [])],
];

async function timed([title, step]: Step): Promise<readonly [string, StepSum, number]> {
  const startedMs = performance.now();
  return [title, await step(), (performance.now() - startedMs) / 1000];
}

const results = [...(await Promise.all(FIRST.map(timed)))];
for (const step of STEPS) {
  console.log(`\n== ${step[0]}`);
  results.push(await timed(step));
}
rmSync(reports, { recursive: true, force: true });

console.log('\n== Summary');
for (const [title, result, seconds] of results) {
  console.log(`${title}: ${result.passed} passed, ${result.failed.length} failed, ${result.skipped.length} skipped (${seconds.toFixed(0)} s)`);
}
const skipped = results.flatMap(([, result]) => result.skipped);
for (const { name, reason } of skipped) console.log(`skipped: ${name}: ${reason === '' ? 'NO REASON GIVEN' : reason}`);
for (const name of results.flatMap(([, result]) => result.flaky)) console.log(`passed at one of two tries: ${name}`);
for (const name of results.flatMap(([, result]) => result.failed)) console.log(`failed: ${name}`);
// A skip nobody explains hides a test that nobody runs.
const unexplained = skipped.filter(({ reason }) => reason === '').length;
const passed = results.reduce((sum, [, result]) => sum + result.passed, 0);
const failed = results.reduce((sum, [, result]) => sum + result.failed.length, 0) + unexplained;
console.log(`${passed} passed, ${failed} failed, ${skipped.length - unexplained} skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
